/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_s3.c - any bytes as an answer of a store: a list, an error, the beginning of an upload.
 * Checks that keys, texts and tokens are within their bounds, and that a list that is refused gives no token. */
#include <stdlib.h>
#include <string.h>

#include "s3/answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *context, const s3_entry *entry) {
    if (strlen(entry->key) >= LIMIT_S3_KEY_BYTES + LIMIT_S3_PREFIX_BYTES || strlen(entry->etag) >= 64)
        abort();
    return ++*(size_t *)context < 100;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char token[S3_ANSWER_TOKEN_BYTES] = "untouched", code[S3_CODE_BYTES], id[S3_UPLOAD_ID_BYTES];
    size_t count = 0;
    char *text = malloc(size ? size : 1); /* of this size, so that a read past its end is found */
    if (!text)
        return 0;
    memcpy(text, data, size);
    if (s3_answer_list(text, size, "", visit, &count, token) != SWIN2SR_OK && strcmp(token, "untouched") != 0)
        abort();
    if (s3_answer_code(text, size, code) && (!code[0] || memchr(code, '\n', strlen(code))))
        abort();
    if (s3_answer_upload_id(text, size, id) == SWIN2SR_OK && !id[0])
        abort();
    free(text);
    return 0;
}
