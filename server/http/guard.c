/* SPDX-License-Identifier: Apache-2.0
 * http/guard.c - refuses requests that two servers could understand differently (RFC 9112 section 11.2).
 * In: header fields.  Out: the fault, a constant. The library's parser accepts all of what is refused here. */
#include "http/guard.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "config/limits.h"

typedef struct guard_walk {
    int fields, lengths, encodings, hosts;
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

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                const char *value, size_t value_size) {
    guard_walk *walk = context;
    walk->lengths += strcasecmp(name, "Content-Length") == 0;
    walk->encodings += strcasecmp(name, "Transfer-Encoding") == 0;
    walk->hosts += strcasecmp(name, "Host") == 0;
    if (++walk->fields > LIMIT_HEADER_COUNT)
        walk->fault = "too many header fields";
    else if (!is_token(name, name_size))
        walk->fault = "a header field has a malformed name";
    else if (value && has_control(value, value_size))
        walk->fault = "a control character in a header field";
    return walk->fault ? MHD_NO : MHD_YES;
}

const char *guard_check(struct MHD_Connection *connection) {
    guard_walk walk = {.fault = NULL};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, &walk);
    if (walk.fault)
        return walk.fault;
    if (walk.lengths > 1)
        return "more than one Content-Length";
    if (walk.encodings > 1)
        return "more than one Transfer-Encoding";
    if (walk.lengths && walk.encodings)
        return "both Content-Length and Transfer-Encoding";
    return walk.hosts > 1 ? "more than one Host" : NULL;
}
