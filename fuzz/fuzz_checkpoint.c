/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_checkpoint.c - read any bytes as a PyTorch checkpoint: zip, pickle, strides and storages.
 * Input that does not start like a zip gets a zip's first bytes, so that no time is spent on other formats. */
#include <string.h>

#include "model/tensors.h"
#include "open_and_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4)
        return 0;
    uint8_t *copy = malloc(size); /* of exact size, so that the sanitizer sees reads past the end */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    if (!swin2sr__checkpoint_is_one(copy, size))
        memcpy(copy, "PK\3\4", 4);
    open_and_read(copy, size, NULL);
    free(copy);
    return 0;
}
