/* SPDX-License-Identifier: Apache-2.0
 * keys/keys.c - the file of API keys: parse and write.
 * In: bytes of a file that a person may have edited.  Out: keys whose every field is within its bounds. */
#include "keys/keys.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "base/write.h"

#define FILE_BYTES ((size_t)KEYS_MAX * (KEYS_LINE_BYTES + 1))

/* ---- fields ---- */

/* Shorter than size, and of characters that need no quotes in a log, a metric or a shell. */
static bool is_word(const char *text, size_t size) {
    size_t length = strlen(text);
    return length > 0 && length < size && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length &&
           !strchr("._-", text[0]);
}

bool keys_is_name(const char *text) {
    return is_word(text, KEYS_NAME_BYTES);
}

static bool is_time(const char *text) {
    static const char shape[] = "0000-00-00T00:00:00Z";
    if (strlen(text) != sizeof shape - 1)
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return true;
}

static bool parse_hash(const char *text, unsigned char ret_hash[KEYS_HASH_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != 2 * KEYS_HASH_BYTES || strspn(text, digits) != 2 * KEYS_HASH_BYTES)
        return false;
    for (size_t i = 0; i < KEYS_HASH_BYTES; i++)
        ret_hash[i] =
            (unsigned char)((strchr(digits, text[2 * i]) - digits) << 4 | (strchr(digits, text[2 * i + 1]) - digits));
    return true;
}

void keys_now(char ret_text[KEYS_TIME_BYTES]) {
    time_t now = time(NULL);
    struct tm utc;
    strftime(ret_text, KEYS_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

void keys_hash(const char *text, unsigned char ret_hash[KEYS_HASH_BYTES]) {
    swin2sr__digest digest = swin2sr__sha256_begin();
    swin2sr__digest_add(&digest, text, strlen(text));
    swin2sr__digest_end(&digest, ret_hash);
}

/* ---- lines ---- */

/* The members of a line's object.  returns NULL, or what is wrong, which may be a text of ret_fault. */
static const char *unpack(json_t *object, api_key *key, json_error_t *ret_fault) {
    const char *id, *hash, *created, *revoked = NULL;
    json_int_t concurrency = 0, per_minute = 0;
    int is_admin = 0;
    if (json_unpack_ex(object, ret_fault, JSON_STRICT, "{s:s, s:s, s:s, s?I, s?I, s?b, s?s}", "id", &id, "sha256",
                       &hash, "created", &created, "concurrency", &concurrency, "per_minute", &per_minute, "admin",
                       &is_admin, "revoked", &revoked) != 0)
        return ret_fault->text;
    if (!is_word(id, sizeof key->id))
        return "id: not 1 to 47 of a-z 0-9 . _ -, the first a letter or digit";
    if (!parse_hash(hash, key->hash))
        return "sha256: not 64 digits of 0-9 a-f";
    if (!is_time(created) || (revoked && !is_time(revoked)))
        return "created, revoked: not a time like 2026-01-31T23:59:59Z";
    if (concurrency < 0 || concurrency > KEYS_CONCURRENCY_MAX)
        return "concurrency: not 0..10000";
    if (per_minute < 0 || per_minute > KEYS_PER_MINUTE_MAX)
        return "per_minute: not 0..1000000";
    strcpy(key->id, id);
    strcpy(key->created, created);
    strcpy(key->revoked, revoked ? revoked : "");
    key->concurrency = (int32_t)concurrency;
    key->per_minute = (int32_t)per_minute;
    key->is_admin = is_admin;
    return NULL;
}

/* One line, which becomes a key of the list. */
static swin2sr_status take_line(const char *line, size_t size, int number, key_list *list, swin2sr_error *reterr) {
    json_error_t fault;
    api_key key = {.id = ""};
    if (size > KEYS_LINE_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "line %d: longer than %d bytes", number, KEYS_LINE_BYTES);
    if (list->count == KEYS_MAX)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "line %d: more than %d keys", number, KEYS_MAX);
    json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, &fault);
    const char *why = object ? unpack(object, &key, &fault) : fault.text;
    for (size_t i = 0; !why && i < list->count; i++)
        if (strcmp(list->keys[i].id, key.id) == 0 || memcmp(list->keys[i].hash, key.hash, sizeof key.hash) == 0)
            why = "a line before it has this id or this sha256";
    swin2sr_status status = why ? swin2sr__error_set(reterr, SWIN2SR_INVALID, "line %d: %s", number, why) : SWIN2SR_OK;
    json_decref(object);
    if (!why)
        list->keys[list->count++] = key;
    return status;
}

static bool is_blank(const char *line, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

swin2sr_status key_list_parse(const char *text, size_t size, key_list *ret_list, swin2sr_error *reterr) {
    key_list list = {.keys = calloc(KEYS_MAX + 1, sizeof *list.keys)};
    swin2sr_status status = list.keys ? SWIN2SR_OK : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    const char *end = text + size;
    for (int number = 1; status == SWIN2SR_OK && text < end; number++) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((line_end ? line_end : end) - text);
        if (!is_blank(text, length))
            status = take_line(text, length, number, &list, reterr);
        text = line_end ? line_end + 1 : end;
    }
    if (status == SWIN2SR_OK)
        *ret_list = list;
    else
        key_list_done(&list);
    return status;
}

swin2sr_status key_list_read(const char *path, key_list *ret_list, swin2sr_error *reterr) {
    swin2sr_error detail = {""};
    FILE *file = fopen(path, "re");
    if (!file)
        return swin2sr__error_set_path(reterr, SWIN2SR_IO, path, "%s", strerror(errno));
    char *text = malloc(FILE_BYTES + 1);
    size_t size = text ? fread(text, 1, FILE_BYTES + 1, file) : 0;
    swin2sr_status status = !text          ? swin2sr__error_set(&detail, SWIN2SR_NOMEM, "out of memory")
                            : ferror(file) ? swin2sr__error_set(&detail, SWIN2SR_IO, "%s", strerror(errno))
                            : size > FILE_BYTES
                                ? swin2sr__error_set(&detail, SWIN2SR_INVALID, "more than %zu bytes", FILE_BYTES)
                                : key_list_parse(text, size, ret_list, &detail);
    fclose(file);
    free(text);
    return status == SWIN2SR_OK ? status : swin2sr__error_set_path(reterr, status, path, "%s", detail.text);
}

void key_list_done(key_list *list) {
    free(list->keys);
    *list = (key_list){.keys = NULL};
}

api_key *key_list_find(const key_list *list, const char *id) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->keys[i].id, id) == 0)
            return &list->keys[i];
    return NULL;
}

/* ---- writing ---- */

static bool write_key(FILE *out, const api_key *key) {
    char hash[2 * KEYS_HASH_BYTES + 1];
    swin2sr__hex(key->hash, KEYS_HASH_BYTES, hash);
    json_t *object = json_pack("{ss ss ss so* so* so* ss*}", "id", key->id, "sha256", hash, "created", key->created,
                               "concurrency", key->concurrency ? json_integer(key->concurrency) : NULL, "per_minute",
                               key->per_minute ? json_integer(key->per_minute) : NULL, "admin",
                               key->is_admin ? json_true() : NULL, "revoked", key->revoked[0] ? key->revoked : NULL);
    char *text = swin2sr__json_text(object, JSON_COMPACT);
    bool is_written = text && fprintf(out, "%s\n", text) > 0;
    free(text);
    json_decref(object);
    return is_written;
}

char *key_list_text(const key_list *list) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool is_written = out != NULL;
    for (size_t i = 0; is_written && i < list->count; i++)
        is_written = write_key(out, &list->keys[i]);
    text = swin2sr__text_end(out, &text);
    if (is_written)
        return text;
    free(text);
    return NULL;
}
