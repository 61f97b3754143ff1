/* SPDX-License-Identifier: Apache-2.0
 * http/guard.c - refuses requests that two servers could read in two ways (RFC 9112 section 11.2).
 * In: header fields.  Out: the fault, a constant. The library's parser accepts everything that is refused here.
 *
 * The values that the library gives no longer show folded lines, bare line feeds or bytes after a NUL. But the library
 * parses the header in place: it writes one NUL over the separator after each word and two over each CR LF. In a clean
 * header, method, target, version, names and values therefore follow each other without a gap. */
#include "http/guard.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "config/limits.h"

typedef struct guard_walk {
    const char *end; /* of the last value; its CR LF was here */
    int fields, lengths, encodings, hosts;
    const char *host; /* value of Host; NULL: not seen */
    bool is_old;      /* HTTP/1.0 */
    const char *fault;
} guard_walk;

static int hex_value(char digit) {
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

size_t guard_unescape(void *context, struct MHD_Connection *connection, char *text) {
    char *out = text;
    for (const char *at = text; *at; at++) {
        int high = *at == '%' ? hex_value(at[1]) : -1, low = high < 0 ? -1 : hex_value(at[2]);
        bool is_escape = low >= 0 && high + low > 0;
        *out++ = is_escape ? (char)(high * 16 + low) : *at;
        at += is_escape ? 2 : 0;
    }
    *out = '\0';
    return (size_t)(out - text);
}

/* The host and port of an absolute address (RFC 9112 section 3.2.2); NULL: the target is none. */
static const char *authority_of(const char *target, size_t *ret_bytes) {
    size_t scheme = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
    *ret_bytes = strcspn(target + scheme, "/?#");
    return scheme ? target + scheme : NULL;
}

size_t guard_target_bytes(const char *target) {
    size_t size = 0;
    while (target[size] > ' ' && target[size] < 0x7f)
        size++;
    size_t host_bytes;
    const char *host = authority_of(target, &host_bytes);
    bool is_address = host && host_bytes > 0 && !memchr(host, '%', host_bytes);
    return !target[size] && (target[0] == '/' || is_address) ? size : 0;
}

const char *guard_path(const char *target) {
    size_t host_bytes;
    const char *host = authority_of(target, &host_bytes);
    if (!host)
        return target;
    return host[host_bytes] ? host + host_bytes : "/";
}

size_t guard_parameters(const char *target) {
    const char *query = strchr(target, '?');
    size_t count = query && query[1];
    for (const char *at = query; at && *at; at++)
        count += *at == '&';
    return count;
}

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char character = text[i];
        bool is_alphanumeric = (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
                               (character >= 'A' && character <= 'Z');
        if (!is_alphanumeric && (character == '\0' || !strchr("!#$%&'*+-.^_`|~", character)))
            return false;
    }
    return size > 0;
}

static bool has_control(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            return true;
    return false;
}

/* Name, colon and value are on one line, which begins right after the CR LF of the line before. */
static bool is_one_line(const guard_walk *walk, const char *name, size_t name_size, const char *value) {
    if (walk->end[0] || walk->end[1] || name != walk->end + 2 || value <= name + name_size)
        return false;
    const char *blank = name + name_size + 1;
    while (blank < value && (*blank == ' ' || *blank == '\t'))
        blank++;
    return blank == value;
}

static const char *field_fault(guard_walk *walk, const char *name, size_t name_size, const char *value,
                               size_t value_size) {
    if (++walk->fields > LIMIT_HEADER_COUNT)
        return "too many header fields";
    if (!is_token(name, name_size))
        return "a header field has a malformed name";
    if (!value || has_control(value, value_size))
        return "a header field has a control character";
    if (!is_one_line(walk, name, name_size, value))
        return "a header field does not end with CR LF, or is folded";
    walk->end = value + value_size;
    if (strcasecmp(name, "Content-Length") == 0 && ++walk->lengths > 1)
        return "more than one Content-Length";
    if (strcasecmp(name, "Host") == 0) {
        walk->host = value;
        if (++walk->hosts > 1)
            return "more than one Host";
        if (strpbrk(value, " \t,/?#@\\"))
            return "Host has a character that is not allowed";
    }
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        if (++walk->encodings > 1 || walk->is_old || strcasecmp(value, "chunked") != 0)
            return "Transfer-Encoding is not chunked, once, in HTTP/1.1";
    }
    return walk->lengths && walk->encodings ? "both Content-Length and Transfer-Encoding" : NULL;
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                const char *value, size_t value_size) {
    guard_walk *walk = context;
    walk->fault = field_fault(walk, name, name_size, value, value_size);
    return walk->fault ? MHD_NO : MHD_YES;
}

/* true: the target is a path, or its host is that of the Host field. */
static bool is_same_host(const char *target, const char *host) {
    size_t bytes;
    const char *authority = authority_of(target, &bytes);
    return !authority || (host && strlen(host) == bytes && strncasecmp(authority, host, bytes) == 0);
}

const char *guard_check(struct MHD_Connection *connection, const guard_line *line) {
    size_t method_bytes = strlen(line->method);
    if (!is_token(line->method, method_bytes) || line->target_bytes == 0)
        return "the request line has no method, or its target is not a path";
    if (line->target != line->method + method_bytes + 1 || line->version != line->target + line->target_bytes + 1)
        return "the words of the request line are not separated by single spaces";
    guard_walk walk = {.end = line->version + strlen(line->version)};
    walk.is_old = strcmp(line->version, "HTTP/1.0") == 0;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, &walk);
    if (walk.fault)
        return walk.fault;
    if (walk.end[0] || walk.end[1] || walk.end[2] || walk.end[3])
        return "the header does not end with CR LF CR LF, or is folded";
    if (walk.hosts == 0 && !walk.is_old)
        return "no Host";
    return is_same_host(line->target, walk.host) ? NULL : "the target names another host than Host";
}

/* The last value, of those of which the library keeps records, ends the header in its buffer. */
static enum MHD_Result on_record(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                 const char *value, size_t value_size) {
    const char **end = context;
    if (kind == MHD_HEADER_KIND && value)
        *end = value + value_size;
    return MHD_YES;
}

size_t guard_header_bytes(struct MHD_Connection *connection, const guard_line *line) {
    enum {
        RECORD_BYTES = 64
    }; /* of a field, a parameter or a cookie: seven words, aligned */
    const char *end = line->version;
    int records = MHD_get_connection_values_n(connection, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND,
                                              on_record, &end);
    return (size_t)(end - line->method) + (size_t)records * RECORD_BYTES;
}
