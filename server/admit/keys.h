/* SPDX-License-Identifier: Apache-2.0
 * admit/keys.h - the API keys that a server knows, and how much each is in use (stage 2 of 9, admit).
 * In: a keys file; the text of a key from a request.  Out: the key, or none. Pure, except for reading the file. */
#pragma once

#include "admit/rate.h"
#include "keys/keys.h"

typedef struct key_row {
    api_key key;
    rate_bucket bucket;
    int32_t running; /* running requests */
} key_row;

typedef struct key_table {
    key_row *rows;
    size_t count;
} key_table;

/* Read a keys file. Keys that were there before keep their buckets and their running requests. After a failure the
 * table is as it was.  errors: those of key_list_read. */
swin2sr_status key_table_read(key_table *self, const char *path, swin2sr_error *reterr);
void key_table_done(key_table *self);

/* The key with this text, revoked ones included; NULL: there is none. All keys are compared completely, so the
 * time taken reveals nothing about them. */
key_row *key_table_match(const key_table *self, const char *text);

key_row *key_table_find(const key_table *self, const char *id);
