/* SPDX-License-Identifier: Apache-2.0
 * probe/exif.c - the orientation of a picture from its EXIF data (stage 2 of 9).
 * Reads the first directory only, at most size / 12 entries. Every offset is checked against size: the file may be
 * hostile. The standard requires type SHORT, but some cameras write other integers, so all types are accepted. */
#include "probe/window.h"

#include <string.h>

#define TAG_ORIENTATION 0x0112
#define ENTRY_BYTES 12

static uint32_t read_u16(const uint8_t *at, bool is_big_endian) {
    return is_big_endian ? probe_u16(at) : probe_le16(at);
}

static uint32_t read_u32(const uint8_t *at, bool is_big_endian) {
    return is_big_endian ? probe_u32(at) : probe_le32(at);
}

/* The first value of an entry; 0 if it is not an integer. Negative numbers become large ones. */
static uint32_t read_value(const uint8_t *entry, bool is_big_endian) {
    /* the bytes of BYTE, SHORT, LONG, SBYTE, SSHORT and SLONG (TIFF 6.0, section 2) */
    static const uint8_t bytes[] = {[1] = 1, [3] = 2, [4] = 4, [6] = 1, [8] = 2, [9] = 4};
    uint32_t type = read_u16(entry + 2, is_big_endian), count = type < sizeof(bytes) ? bytes[type] : 0;
    if (count == 4)
        return read_u32(entry + 8, is_big_endian);
    if (count == 2)
        return read_u16(entry + 8, is_big_endian);
    return count == 1 ? entry[8] : 0;
}

int32_t probe_exif_orientation(probe_window *window, uint64_t at, uint64_t size) {
    const uint8_t *bytes;
    if (size < 8 || probe_look(window, at, 8, &bytes) != SWIN2SR_OK ||
        (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    bool is_big_endian = bytes[0] == 'M';
    uint64_t directory = read_u32(bytes + 4, is_big_endian);
    if (directory > size || size - directory < 2 || probe_look(window, at + directory, 2, &bytes) != SWIN2SR_OK)
        return 1;
    uint64_t count = read_u16(bytes, is_big_endian), fitting = (size - directory - 2) / ENTRY_BYTES;
    uint64_t entry = at + directory + 2;
    for (uint64_t i = 0; i < count && i < fitting; i++, entry += ENTRY_BYTES) {
        if (probe_look(window, entry, ENTRY_BYTES, &bytes) != SWIN2SR_OK)
            return 1;
        uint32_t value = read_u16(bytes, is_big_endian) == TAG_ORIENTATION ? read_value(bytes, is_big_endian) : 0;
        if (value >= 1 && value <= 8)
            return (int32_t)value;
    }
    return 1;
}
