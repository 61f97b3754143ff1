/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_keys.c - read any bytes as a keys file.
 * Checks that a refusal names a line, that what is accepted is within its bounds, and that it is read again as it was
 * written. */
#include <stdlib.h>
#include <string.h>

#include "keys/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

static void check_key(const key_list *list, const api_key *key) {
    check(key_list_find(list, key->id) == key);
    check(key->id[0] && strlen(key->id) < KEYS_ID_BYTES && !strpbrk(key->id, "\"\\ \n"));
    check(strlen(key->created) == KEYS_TIME_BYTES - 1);
    check(key->concurrency >= 0 && key->concurrency <= KEYS_CONCURRENCY_MAX);
    check(key->per_minute >= 0 && key->per_minute <= KEYS_PER_MINUTE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    key_list list, again;
    swin2sr_error error = {""};
    char *bytes = malloc(size ? size : 1); /* so that an access past the end is noticed */
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    swin2sr_status status = key_list_parse(bytes, size, &list, &error);
    free(bytes);
    if (status != SWIN2SR_OK) {
        check(strncmp(error.text, "line ", 5) == 0);
        return 0;
    }
    check(list.count <= KEYS_MAX);
    for (size_t i = 0; i < list.count; i++)
        check_key(&list, &list.keys[i]);
    char *text = key_list_text(&list);
    check(text && key_list_parse(text, strlen(text), &again, NULL) == SWIN2SR_OK && again.count == list.count);
    char *same = key_list_text(&again);
    check(same && strcmp(text, same) == 0);
    free(text);
    free(same);
    key_list_done(&again);
    key_list_done(&list);
    return 0;
}
