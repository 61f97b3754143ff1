/* SPDX-License-Identifier: Apache-2.0
 * fuzz_checkpoint.c - any bytes as a PyTorch checkpoint: the zip, the pickle in it, strides and storages (libFuzzer).
 * Bytes that do not begin like one are given the beginning of a zip, so that no time is spent on other formats. */
#include <string.h>

#include "model/checkpoint.h"
#include "open_and_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4)
        return 0;
    uint8_t *copy = malloc(size); /* of its own, so that reading past the end is seen */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    if (!swin2sr__checkpoint_is_one(copy, size))
        memcpy(copy, "PK\3\4", 4);
    open_and_read(copy, size, NULL);
    free(copy);
    return 0;
}
