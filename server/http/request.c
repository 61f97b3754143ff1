/* SPDX-License-Identifier: Apache-2.0
 * http/request.c - header fields, query, id and trace of a request (stage 1 of 9, request).
 * In: the HTTP library's connection.  Out: text. A random id replaces one that is not acceptable. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "http/exchange.h"

const char *http_request_header(const http_request *request, const char *name) {
    return MHD_lookup_connection_value(exchange_of(request)->connection, MHD_HEADER_KIND, name);
}

bool http_request_owns(const http_request *request, const char *owner) {
    return !request->is_anonymous && strcmp(request->owner, owner) == 0;
}

void request_set_client(http_exchange *self) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(self->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    const void *bytes = !address                        ? NULL
                        : address->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                        : address->sa_family == AF_INET6 ? &((const struct sockaddr_in6 *)address)->sin6_addr
                                                         : NULL;
    if (!bytes || !inet_ntop(address->sa_family, bytes, self->request.client, sizeof self->request.client))
        self->request.client[0] = '\0';
}

typedef struct list_walk {
    const char *field;
    char *text;
    size_t used, size;
    bool is_cut;
} list_walk;

/* Append. If there is no room, drop the beginning. */
static void append(list_walk *walk, const char *text) {
    size_t length = strlen(text), room = walk->size - 1;
    size_t kept = length < room ? room - length : 0, lost = walk->used > kept ? walk->used - kept : 0;
    walk->is_cut |= lost > 0 || length > room;
    memmove(walk->text, walk->text + lost, walk->used - lost);
    walk->used -= lost;
    size_t taken = length < room ? length : room;
    memcpy(walk->text + walk->used, text + length - taken, taken);
    walk->used += taken;
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    list_walk *walk = context;
    if (strcasecmp(name, walk->field) == 0) {
        append(walk, walk->used ? "," : "");
        append(walk, value ? value : "");
    }
    return MHD_YES;
}

void http_request_list(const http_request *request, const char *name, char *ret_text, size_t size) {
    list_walk walk = {.field = name, .text = ret_text, .size = size};
    MHD_get_connection_values(exchange_of(request)->connection, MHD_HEADER_KIND, on_field, &walk);
    ret_text[walk.used] = '\0';
    if (!walk.is_cut)
        return;
    const char *whole = ret_text + strcspn(ret_text, ",");
    memmove(ret_text, whole, strlen(whole) + 1);
}

typedef struct word_walk {
    const char *field, *word;
    bool has_other;
} word_walk;

static bool is_list_of(const char *list, const char *word) {
    size_t length = strlen(word);
    for (list += strspn(list, ", \t"); *list; list += strspn(list, ", \t")) {
        if (strcspn(list, ", \t") != length || strncasecmp(list, word, length) != 0)
            return false;
        list += length;
    }
    return true;
}

static enum MHD_Result on_word(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    word_walk *walk = context;
    walk->has_other |= strcasecmp(name, walk->field) == 0 && !is_list_of(value, walk->word);
    return MHD_YES;
}

bool http_request_has_only(const http_request *request, const char *name, const char *word) {
    word_walk walk = {name, word, false};
    MHD_get_connection_values(exchange_of(request)->connection, MHD_HEADER_KIND, on_word, &walk);
    return !walk.has_other;
}

typedef struct query_walk {
    http_visit visit;
    void *context;
    bool has_stopped;
} query_walk;

static enum MHD_Result on_query(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    query_walk *walk = context;
    walk->has_stopped = !walk->visit(walk->context, name, value ? value : "");
    return walk->has_stopped ? MHD_NO : MHD_YES;
}

bool http_request_query(const http_request *request, http_visit visit, void *context) {
    query_walk walk = {visit, context, false};
    MHD_get_connection_values(exchange_of(request)->connection, MHD_GET_ARGUMENT_KIND, on_query, &walk);
    return !walk.has_stopped;
}

static bool is_fit_id(const char *text) {
    size_t length = text ? strlen(text) : 0;
    return length > 0 && length < LIMIT_REQUEST_ID_BYTES &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

static bool is_hex(const char *text, size_t size) {
    return strspn(text, "0123456789abcdef") == size;
}

/* version "-" trace-id "-" parent-id "-" flags; versions after 00 may have more fields. */
static bool is_fit_trace(const char *text) {
    if (!text || !is_hex(text, 2) || text[2] != '-' || !is_hex(text + 3, 32) || text[35] != '-' ||
        !is_hex(text + 36, 16) || text[52] != '-' || !is_hex(text + 53, 2))
        return false;
    bool is_empty = strspn(text + 3, "0") == 32 || strspn(text + 36, "0") == 16;
    bool is_long = text[55] != '\0';
    return !is_empty && strncmp(text, "ff", 2) != 0 && (!is_long || (text[55] == '-' && strncmp(text, "00", 2) != 0));
}

void request_set_ids(http_exchange *self) {
    http_request *request = &self->request;
    const char *id = http_request_header(request, "X-Request-Id"), *trace = http_request_header(request, "traceparent");
    uint64_t random[2] = {0};
    if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random[0] = swin2sr__clock_us();
    snprintf(request->id, sizeof request->id, "%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
    if (is_fit_id(id))
        strcpy(request->id, id);
    if (is_fit_trace(trace))
        snprintf(request->trace, sizeof request->trace, "%s", trace);
}

const char *request_known_method(const char *method) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(method, known[i]) == 0)
            return known[i];
    return "other";
}
