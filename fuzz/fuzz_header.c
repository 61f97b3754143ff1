/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_header.c - read any text as the header of a safetensors file of correct length.
 * Input: the number of data bytes after the header (2 bytes, little endian), then the header. After an optional zero
 * byte comes the text of a config.json. */
#include <string.h>

#include "open_and_read.h"

#define SIZE_BYTES 2
#define LENGTH_BYTES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < SIZE_BYTES)
        return 0;
    const uint8_t *header = data + SIZE_BYTES, *zero = memchr(header, 0, size - SIZE_BYTES);
    size_t data_bytes = (size_t)data[1] << 8 | data[0];
    size_t header_bytes = zero ? (size_t)(zero - header) : size - SIZE_BYTES;
    size_t file_bytes = LENGTH_BYTES + header_bytes + data_bytes;
    uint8_t *file = malloc(file_bytes);
    char *config = zero ? strndup((const char *)zero + 1, (size_t)(data + size - zero - 1)) : NULL;
    if (file) {
        for (int i = 0; i < LENGTH_BYTES; i++)
            file[i] = (uint8_t)((uint64_t)header_bytes >> 8 * i);
        memcpy(file + LENGTH_BYTES, header, header_bytes);
        fill_numbers(file + LENGTH_BYTES + header_bytes, data_bytes);
        open_and_read(file, file_bytes, config);
    }
    free(config);
    free(file);
    return 0;
}
