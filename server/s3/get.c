/* SPDX-License-Identifier: Apache-2.0
 * s3/get.c - read objects, wholly or in part, and list them.
 * In: keys.  Out: bytes that are those that were put: a store that has lost or changed some of them is found. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "s3/exchange.h"

swin2sr_status s3_read(s3_client *self, const char *key, size_t max_bytes, char **ret_text, size_t *ret_size,
                       swin2sr_error *reterr) {
    s3_exchange exchange = s3_exchange_of("GET", key);
    exchange.out_max_bytes = max_bytes;
    exchange.is_compared = true;
    swin2sr_status status = s3_exchange_run(self, &exchange, reterr);
    if (status != SWIN2SR_OK)
        return status;
    *ret_text = exchange.text;
    *ret_size = exchange.received;
    return SWIN2SR_OK;
}

swin2sr_status s3_get(s3_client *self, const char *key, int fd, uint64_t max_bytes, s3_object *ret_object,
                      swin2sr_error *reterr) {
    s3_exchange exchange = s3_exchange_of("GET", key);
    exchange.out_fd = fd;
    exchange.out_max_bytes = max_bytes;
    exchange.is_compared = true;
    swin2sr_status status = s3_exchange_run(self, &exchange, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (ftruncate(fd, (off_t)exchange.received) != 0) /* an attempt that failed may have written more */
        return swin2sr__error_set_errno(reterr, key);
    exchange.object.bytes = exchange.received;
    *ret_object = exchange.object;
    return SWIN2SR_OK;
}

swin2sr_status s3_get_range(s3_client *self, const char *key, uint64_t first, uint64_t count, int fd,
                            swin2sr_error *reterr) {
    s3_exchange exchange = s3_exchange_of("GET", key);
    char range[64];
    if (count == 0)
        return SWIN2SR_OK;
    snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, first, first + count - 1);
    s3_exchange_add(&exchange, "range", range);
    exchange.out_fd = fd;
    exchange.out_max_bytes = count;
    swin2sr_status status = s3_exchange_run(self, &exchange, reterr);
    bool is_short = (status == SWIN2SR_OK && exchange.code == 206 && exchange.received < count) ||
                    (status == SWIN2SR_IO && exchange.code == 416);
    if (is_short)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "GET %s: ends before byte %" PRIu64, key, first + count);
    if ((status == SWIN2SR_OK && exchange.code != 206) || status == SWIN2SR_TOO_LARGE)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "GET %s: the store sends no parts of objects", key);
    return status;
}

swin2sr_status s3_head(s3_client *self, const char *key, s3_object *ret_object, swin2sr_error *reterr) {
    s3_exchange exchange = s3_exchange_of("HEAD", key);
    swin2sr_status status = s3_exchange_run(self, &exchange, reterr);
    free(exchange.text);
    if (status == SWIN2SR_OK)
        *ret_object = exchange.object;
    return status;
}

/* ---- lists ---- */

typedef struct listing {
    bool (*visit)(void *context, const s3_entry *entry);
    void *context;
    char last[LIMIT_S3_KEY_BYTES + LIMIT_S3_PREFIX_BYTES]; /* key */
    bool is_disordered;
} listing;

/* Keys go up, so that a list ends. */
static bool on_entry(void *context, const s3_entry *entry) {
    listing *self = context;
    self->is_disordered = strcmp(entry->key, self->last) <= 0 && self->last[0];
    snprintf(self->last, sizeof self->last, "%s", entry->key);
    return !self->is_disordered && self->visit(self->context, entry);
}

/* Read the page that begins at *token.  errors _CORRUPT and those of every call. */
static swin2sr_status list_page(s3_client *self, const char *start, listing *list, char token[S3_ANSWER_TOKEN_BYTES],
                                swin2sr_error *reterr) {
    s3_exchange exchange = s3_exchange_of("GET", NULL);
    char query[S3_QUERY_BYTES] = "";
    bool fits = !token[0] || (s3_query_append(strcpy(query, "continuation-token="), sizeof query, token) &&
                              strlen(query) + 1 < sizeof query && strcat(query, "&"));
    size_t length = strlen(query);
    fits = fits && snprintf(query + length, sizeof query - length,
                            "list-type=2&max-keys=%d&prefix=", LIMIT_S3_PAGE_KEYS) < (int)(sizeof query - length);
    if (!fits || !s3_query_append(query, sizeof query, self->place.prefix) ||
        !s3_query_append(query, sizeof query, start))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "a list of objects cannot begin with so long a key");
    exchange.query = query;
    exchange.out_max_bytes = LIMIT_S3_LIST_BYTES;
    swin2sr_status status = s3_exchange_run(self, &exchange, reterr);
    if (status == SWIN2SR_TOO_LARGE || status == SWIN2SR_INVALID)
        return status == SWIN2SR_TOO_LARGE ? SWIN2SR_CORRUPT : SWIN2SR_IO;
    if (status == SWIN2SR_OK)
        status = s3_answer_list(exchange.text, exchange.received, self->place.prefix, on_entry, list, token);
    free(exchange.text);
    if (list->is_disordered)
        status = SWIN2SR_CORRUPT;
    return status == SWIN2SR_CORRUPT
               ? swin2sr__error_set(reterr, status, "the answer of the store %s is no list of objects",
                                    self->place.host)
               : status;
}

swin2sr_status s3_list(s3_client *self, const char *start, bool (*visit)(void *context, const s3_entry *entry),
                       void *context, swin2sr_error *reterr) {
    listing list = {.visit = visit, .context = context};
    char token[S3_ANSWER_TOKEN_BYTES] = "";
    swin2sr_status status;
    do
        status = list_page(self, start, &list, token, reterr);
    while (status == SWIN2SR_OK && token[0]);
    return status;
}
