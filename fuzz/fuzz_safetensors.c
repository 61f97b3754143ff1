/* SPDX-License-Identifier: Apache-2.0
 * fuzz_safetensors.c - any bytes as a safetensors file (libFuzzer). */
#include "open_and_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    open_and_read(data, size, NULL);
    return 0;
}
