/* SPDX-License-Identifier: Apache-2.0
 * config/listen.c - the value of --listen and --metrics-listen.
 * In: text.  Out: addresses, not resolved yet, or the entry that is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/config.h"

#define UNIX_PREFIX "unix:"

static swin2sr_status wrong(swin2sr_error *reterr, const char *text) {
    return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%.100s: must be ADDR:PORT, [ADDR]:PORT or unix:PATH", text);
}

/* "8080": digits, 0..65535. */
static bool is_port(const char *text) {
    size_t length = strlen(text);
    return length > 0 && length <= 5 && strspn(text, "0123456789") == length && atoi(text) <= 65535;
}

static swin2sr_status parse_path(const char *path, const char *text, listen_address *ret_address,
                                 swin2sr_error *reterr) {
    if (!*path)
        return wrong(reterr, text);
    if (strlen(path) >= sizeof ret_address->path)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%.100s: the path of a socket must have at most %zu bytes",
                                  text, sizeof ret_address->path - 1);
    *ret_address = (listen_address){.host = ""};
    strcpy(ret_address->path, path);
    return SWIN2SR_OK;
}

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0", "unix:/run/swin2sr.sock". */
static swin2sr_status parse_entry(const char *text, listen_address *ret_address, swin2sr_error *reterr) {
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_path(text + strlen(UNIX_PREFIX), text, ret_address, reterr);
    const char *colon = strrchr(text, ':'), *host = text;
    size_t length = colon ? (size_t)(colon - text) : 0;
    bool has_brackets = length >= 2 && host[0] == '[' && host[length - 1] == ']';
    if (!has_brackets && length && memchr(host, ':', length))
        return wrong(reterr, text); /* an IPv6 address without brackets */
    host += has_brackets;
    length -= has_brackets ? 2 : 0;
    if (length == 0 || length >= sizeof ret_address->host || !is_port(colon + 1))
        return wrong(reterr, text);
    *ret_address = (listen_address){.path = ""};
    memcpy(ret_address->host, host, length);
    snprintf(ret_address->port, sizeof ret_address->port, "%d", atoi(colon + 1));
    return SWIN2SR_OK;
}

bool listen_append(listen_list *self, const char *text) {
    size_t used = strlen(self->text);
    return (size_t)snprintf(self->text + used, sizeof self->text - used, "%s%s", used ? "," : "", text) <
           sizeof self->text - used;
}

swin2sr_status listen_parse(const char *text, listen_list *self, swin2sr_error *reterr) {
    char copy[LIMIT_LISTEN_BYTES], *rest = copy;
    if (strlen(text) >= sizeof copy)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "must have at most %zu bytes", sizeof copy - 1);
    strcpy(copy, text);
    int32_t count = 0;
    for (char *entry = strsep(&rest, ", \t"); entry; entry = strsep(&rest, ", \t")) {
        if (!*entry)
            continue;
        if (count == LIMIT_LISTEN)
            return swin2sr__error_set(reterr, SWIN2SR_INVALID, "must be at most %d addresses", LIMIT_LISTEN);
        swin2sr_status status = parse_entry(entry, &self->rows[count], reterr);
        if (status != SWIN2SR_OK)
            return status;
        count++;
    }
    if (count == 0)
        return wrong(reterr, text);
    self->count = count;
    return SWIN2SR_OK;
}

void listen_write(const listen_address *self, char *ret_text, size_t size) {
    bool is_v6 = strchr(self->host, ':') != NULL;
    if (self->path[0])
        snprintf(ret_text, size, UNIX_PREFIX "%s", self->path);
    else
        snprintf(ret_text, size, "%s%s%s:%s", is_v6 ? "[" : "", self->host, is_v6 ? "]" : "", self->port);
}
