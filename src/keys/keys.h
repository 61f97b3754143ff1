/* SPDX-License-Identifier: Apache-2.0
 * keys/keys.h - the file of API keys, which `swin2sr key` writes and swin2sr-server reads.
 * In: text.  Out: a list of keys, or the line that is wrong and why.
 * One JSON object per line: {"id", "sha256", "created", "concurrency", "per_minute", "admin", "revoked"}. The last four may be
 * absent. A key's text is in no file: what is kept is its SHA-256, and because a key has 256 random bits, one round of
 * it is enough. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define KEYS_MAX 1000                    /* keys of a file, revoked ones included */
#define KEYS_LINE_BYTES 512              /* the longest line, without its end */
#define KEYS_NAME_BYTES 41               /* a name: 1 to 40 of [a-z0-9._-], the first a letter or digit; and a zero */
#define KEYS_ID_BYTES 48                 /* an id: NAME-xxxxxx, six hex digits; and a zero */
#define KEYS_TIME_BYTES 21               /* 2026-01-31T23:59:59Z and a zero */
#define KEYS_TEXT_BYTES (8 + 2 * 32 + 1) /* a key: swin2sr_ and 64 hex digits; and a zero */
#define KEYS_HASH_BYTES 32
#define KEYS_CONCURRENCY_MAX 10000
#define KEYS_PER_MINUTE_MAX 1000000

typedef struct api_key {
    char id[KEYS_ID_BYTES];
    unsigned char hash[KEYS_HASH_BYTES]; /* keys_hash of its text */
    char created[KEYS_TIME_BYTES];
    char revoked[KEYS_TIME_BYTES]; /* "": not revoked */
    int32_t concurrency;           /* requests at a time; 0: no limit */
    int32_t per_minute;            /* requests; 0: no limit */
    bool is_admin;                 /* may also see /v1/status */
} api_key;

typedef struct key_list {
    api_key *keys; /* in the order of the file; room for one more */
    size_t count;
} key_list;

/* Read the text of a file. Blank lines are skipped.
 * ret_list  The caller's (key_list_done); untouched after a failure.
 * errors    _INVALID, with the line and the reason; _NOMEM. */
swin2sr_status key_list_parse(const char *text, size_t size, key_list *ret_list, swin2sr_error *reterr);

/* The same for a file.  errors: also _IO. Errors name the path. */
swin2sr_status key_list_read(const char *path, key_list *ret_list, swin2sr_error *reterr);

/* The text of the file.  returns: the caller frees it; NULL: out of memory. */
char *key_list_text(const key_list *list);

/* NULL: there is no such key. */
api_key *key_list_find(const key_list *list, const char *id);

void key_list_done(key_list *list);

bool keys_is_name(const char *text);

/* The present time, as the file has it. */
void keys_now(char ret_text[KEYS_TIME_BYTES]);

/* The hash of a key's text, of any length. */
void keys_hash(const char *text, unsigned char ret_hash[KEYS_HASH_BYTES]);
