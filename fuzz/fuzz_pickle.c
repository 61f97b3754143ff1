/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_pickle.c - read any bytes as the pickle of a PyTorch checkpoint in a valid zip file.
 * fuzz_checkpoint.c seldom gets past the zip; here every input reaches the pickle's stack machine. The tensors that it
 * describes may lie in four storages of STORAGE_BYTES each, with the keys 0 to 3. */
#include <string.h>

#include "open_and_read.h"

#define STORAGE_BYTES 8192
#define STORAGE_COUNT 4
#define MAX_HEADERS_BYTES ((STORAGE_COUNT + 1) * 128 + 22)

static const uint8_t zeros[12];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_number(uint8_t **at, size_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        *(*at)++ = (uint8_t)(value >> 8 * i);
}

static void put_bytes(uint8_t **at, const void *bytes, size_t size) {
    if (size)
        memcpy(*at, bytes, size);
    *at += size;
}

/* The common part of an entry's local header and its directory header. A checksum of 0 is not compared. */
static void put_header(uint8_t **at, const char *name, size_t bytes) {
    put_bytes(at, zeros, 12); /* flags, method, time, checksum */
    put_number(at, bytes, 4);
    put_number(at, bytes, 4);
    put_number(at, strlen(name), 2);
    put_number(at, 0, 2);
}

/* Make a zip file of these entries, *ret_size bytes long. */
static uint8_t *make_zip(const char *const names[], const void *const contents[], const size_t sizes[], int count,
                         size_t *ret_size) {
    size_t begins[STORAGE_COUNT + 1], total = MAX_HEADERS_BYTES;
    for (int i = 0; i < count; i++)
        total += sizes[i];
    uint8_t *file = malloc(total), *at = file;
    if (!file)
        return NULL;
    for (int i = 0; i < count; i++) {
        begins[i] = (size_t)(at - file);
        put_bytes(&at, "PK\3\4\0\0", 6);
        put_header(&at, names[i], sizes[i]);
        put_bytes(&at, names[i], strlen(names[i]));
        put_bytes(&at, contents[i], sizes[i]);
    }
    const uint8_t *directory = at;
    for (int i = 0; i < count; i++) {
        put_bytes(&at, "PK\1\2\0\0\0\0", 8);
        put_header(&at, names[i], sizes[i]);
        put_bytes(&at, zeros, 10); /* comment, disk, attributes */
        put_number(&at, begins[i], 4);
        put_bytes(&at, names[i], strlen(names[i]));
    }
    size_t directory_bytes = (size_t)(at - directory);
    put_bytes(&at, "PK\5\6\0\0\0\0", 8);
    put_number(&at, (size_t)count, 2);
    put_number(&at, (size_t)count, 2);
    put_number(&at, directory_bytes, 4);
    put_number(&at, (size_t)(directory - file), 4);
    put_number(&at, 0, 2);
    *ret_size = (size_t)(at - file);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"a/data.pkl", "a/data/0", "a/data/1", "a/data/2", "a/data/3"};
    uint8_t storage[STORAGE_BYTES];
    fill_numbers(storage, sizeof(storage));
    const void *const contents[] = {data, storage, storage, storage, storage};
    const size_t sizes[] = {size, STORAGE_BYTES, STORAGE_BYTES, STORAGE_BYTES, STORAGE_BYTES};
    size_t file_bytes;
    uint8_t *file = make_zip(names, contents, sizes, STORAGE_COUNT + 1, &file_bytes);
    if (!file)
        return 0;
    uint8_t *exact = realloc(file, file_bytes); /* so that the sanitizer sees reads past the end */
    open_and_read(exact ? exact : file, file_bytes, NULL);
    free(exact ? exact : file);
    return 0;
}
