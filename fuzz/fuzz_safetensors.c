/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_safetensors.c - read any bytes as a safetensors file. */
#include "open_and_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    open_and_read(data, size, NULL);
    return 0;
}
