/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_record.c - any bytes as the record of a job. A right checksum is put before the input, because a wrong one
 * ends every reading at once; the first byte of the input says whether.
 * Checks that what is accepted is written and read again as the same text, and may become part of a path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "job/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

static void try_record(const char *text, size_t size) {
    job_record record, again;
    if (record_from_text(text, size, &record) != SWIN2SR_OK)
        return;
    check(record_is_id(record.id) && !strchr(record.result_name, '/'));
    char *first = record_to_text(&record);
    check(first && strlen(first) <= RECORD_MAX_BYTES);
    check(record_from_text(first, strlen(first), &again) == SWIN2SR_OK);
    char *second = record_to_text(&again);
    check(second && strcmp(first, second) == 0);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[RECORD_MAX_BYTES], hex[65];
    if (size == 0 || size > RECORD_MAX_BYTES - 80)
        return 0;
    if (data[0] % 8 == 0) {
        try_record((const char *)data + 1, size - 1);
        return 0;
    }
    swin2sr__sha256_hex(data + 1, size - 1, hex);
    int head = snprintf(text, sizeof text, "sha256 %s\n", hex);
    memcpy(text + head, data + 1, size - 1);
    text[(size_t)head + size - 1] = '\n';
    try_record(text, (size_t)head + size);
    return 0;
}
