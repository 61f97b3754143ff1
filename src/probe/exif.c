/* SPDX-License-Identifier: Apache-2.0
 * probe/exif.c - find the orientation in a hostile EXIF block (stage 2 of 9).
 * In: a TIFF block.  Out: 1..8.
 * Looks at the first directory only, at most size / 12 entries; every offset is checked against size. */
#include "probe/exif.h"

#include <stdbool.h>
#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT 3
#define ENTRY_BYTES 12

static uint32_t read_u16(const uint8_t *at, bool is_big_endian) {
    return is_big_endian ? (uint32_t)at[0] << 8 | at[1] : (uint32_t)at[1] << 8 | at[0];
}

static uint32_t read_u32(const uint8_t *at, bool is_big_endian) {
    uint32_t first = read_u16(at, is_big_endian), second = read_u16(at + 2, is_big_endian);
    return is_big_endian ? first << 16 | second : second << 16 | first;
}

int32_t probe_exif_orientation(const uint8_t *data, size_t size) {
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0))
        return 1;
    bool is_big_endian = data[0] == 'M';
    size_t directory = read_u32(data + 4, is_big_endian);
    if (directory > size || size - directory < 2)
        return 1;
    size_t count = read_u16(data + directory, is_big_endian);
    size_t fitting = (size - directory - 2) / ENTRY_BYTES;
    const uint8_t *entry = data + directory + 2;
    for (size_t i = 0; i < count && i < fitting; i++, entry += ENTRY_BYTES) {
        if (read_u16(entry, is_big_endian) != TAG_ORIENTATION || read_u16(entry + 2, is_big_endian) != TYPE_SHORT)
            continue;
        uint32_t orientation = read_u16(entry + 8, is_big_endian);
        return orientation >= 1 && orientation <= 8 ? (int32_t)orientation : 1;
    }
    return 1;
}
