/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_probe.c - probe any bytes as the header of an image file.
 * Checks that the results are in the ranges that callers rely on, and that all reads lie within the file. */
#include <stdlib.h>
#include <string.h>

#include "probe/probe.h"

typedef struct file {
    const uint8_t *data;
    size_t size;
} file;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

static bool read_file(void *context, uint64_t at, void *bytes, size_t size) {
    const file *from = context;
    check(size > 0 && at < from->size && size <= from->size - at);
    memcpy(bytes, from->data + at, size);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    file from = {data, size};
    probe_source source = {.read = read_file, .context = &from, .size = size};
    probe_info info = {0};
    swin2sr_error error = {""};
    if (probe_file(&source, &info, &error) != SWIN2SR_OK) {
        check(error.text[0] != '\0');
        return 0;
    }
    check(info.width_px >= 1 && info.height_px >= 1 && info.channels >= 1 && info.channels <= 4);
    check(info.orientation >= 1 && info.orientation <= 8 && info.frames >= 1);
    check(format_get(info.format)->can_read);
    return 0;
}
