/* SPDX-License-Identifier: Apache-2.0
 * admit/keys.c - the table of API keys (stage 2 of 9, admit). */
#include "admit/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

key_row *key_table_find(const key_table *self, const char *id) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->rows[i].key.id, id) == 0)
            return &self->rows[i];
    return NULL;
}

swin2sr_status key_table_read(key_table *self, const char *path, swin2sr_error *reterr) {
    key_list list;
    swin2sr_status status = key_list_read(path, &list, reterr);
    if (status != SWIN2SR_OK)
        return status;
    key_table now = {.rows = calloc(list.count + 1, sizeof *now.rows), .count = list.count};
    for (size_t i = 0; now.rows && i < list.count; i++) {
        const key_row *before = key_table_find(self, list.keys[i].id);
        if (before)
            now.rows[i] = *before;
        now.rows[i].key = list.keys[i];
    }
    key_list_done(&list);
    if (!now.rows)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    key_table_done(self);
    *self = now;
    return SWIN2SR_OK;
}

void key_table_done(key_table *self) {
    free(self->rows);
    *self = (key_table){.rows = NULL};
}

static bool is_equal(const unsigned char a[KEYS_HASH_BYTES], const unsigned char b[KEYS_HASH_BYTES]) {
    unsigned char differing = 0;
    for (size_t i = 0; i < KEYS_HASH_BYTES; i++)
        differing |= a[i] ^ b[i];
    return differing == 0;
}

key_row *key_table_match(const key_table *self, const char *text) {
    unsigned char hash[KEYS_HASH_BYTES];
    key_row *found = NULL;
    keys_hash(text, hash);
    for (size_t i = 0; i < self->count; i++)
        if (is_equal(self->rows[i].key.hash, hash))
            found = &self->rows[i];
    return found;
}
