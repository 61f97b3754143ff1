/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_exif.c - any bytes as EXIF data and as an XMP packet.
 * Checks that EXIF data that were changed once can be changed again, and that nothing grows beyond what a tag needs. */
#include <stdlib.h>

#include "image/exif.h"

#define GROWTH_MAX_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef swin2sr_status edit(const image_block *block, const exif_change *change, uint8_t **ret_bytes, size_t *ret_size);

static void edit_twice(edit *with, const uint8_t *data, size_t size, const exif_change *change) {
    image_block block = {data, size}, once;
    uint8_t *bytes = NULL, *again = NULL;
    if (with(&block, change, &bytes, &once.size) != SWIN2SR_OK)
        return;
    once.data = bytes;
    if (once.size > 2 * size + GROWTH_MAX_BYTES)
        abort();
    if (with(&once, change, &again, &size) == SWIN2SR_OK)
        free(again);
    else if (with == exif_edit && once.size <= IMAGE_EXIF_MAX_BYTES)
        abort();
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    exif_change change = {.width_px = 70000, .height_px = 9, .times = size % 2 ? 4 : 0.73};
    if (size < 2)
        return 0;
    change.software = data[0] & 1 ? "swin2sr-cloud" : NULL;
    edit_twice(exif_edit, data + 1, size - 1, &change);
    edit_twice(xmp_edit, data + 1, size - 1, &change);
    return 0;
}
