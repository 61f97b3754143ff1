/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_range.c - any text as the header fields Range and If-None-Match.
 * Checks that a part lies inside the file and is not empty. */
#include <stdlib.h>
#include <string.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t file_bytes, first, count;
    if (size < sizeof file_bytes)
        return 0;
    memcpy(&file_bytes, data, sizeof file_bytes);
    file_bytes >>= file_bytes % 64;
    char *text = strndup((const char *)data + sizeof file_bytes, size - sizeof file_bytes);
    if (range_parse(text, file_bytes, &first, &count) == RANGE_PART &&
        (count == 0 || first >= file_bytes || count > file_bytes - first))
        abort();
    if (range_has_tag(text, "\"tag\"") && !strchr(text, '*') && !strstr(text, "\"tag\""))
        abort();
    free(text);
    return 0;
}
