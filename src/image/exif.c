/* SPDX-License-Identifier: Apache-2.0
 * image/exif.c - EXIF data of an image that was turned upright and enlarged (stage 8 of 9, encode).
 * In: a TIFF block (TIFF 6.0; EXIF 2.32).  Out: a changed copy. Values are replaced in place. Two directories are read,
 * and the one of the thumbnail, each once, so that no chain of offsets can go in circles. Every offset is checked. */
#include "image/exif.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 8
#define ENTRY_BYTES 12
#define SOFTWARE_MAX_BYTES 1024

enum {
    TAG_WIDTH = 0x0100,
    TAG_HEIGHT = 0x0101,
    TAG_ORIENTATION = 0x0112,
    TAG_X_RESOLUTION = 0x011a,
    TAG_Y_RESOLUTION = 0x011b,
    TAG_SOFTWARE = 0x0131,
    TAG_JPEG_AT = 0x0201,
    TAG_JPEG_BYTES = 0x0202,
    TAG_EXIF_DIRECTORY = 0x8769,
    TAG_EXIF_WIDTH = 0xa002,
    TAG_EXIF_HEIGHT = 0xa003,
};

enum {
    TYPE_ASCII = 2,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_RATIONAL = 5,
};

typedef struct exif_block {
    uint8_t *bytes;
    size_t size, room; /* room: of the allocation */
    bool is_big_endian;
    size_t first, link; /* the first directory, and where its link to the next one lies */
} exif_block;

static uint32_t get(const exif_block *block, size_t at, int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | block->bytes[at + (size_t)(block->is_big_endian ? i : bytes - 1 - i)];
    return value;
}

static void put(exif_block *block, size_t at, int bytes, uint32_t value) {
    for (int i = 0; i < bytes; i++)
        block->bytes[at + (size_t)(block->is_big_endian ? bytes - 1 - i : i)] = (uint8_t)(value >> 8 * i);
}

/* Whether bytes lie in the block, and neither in its head nor in the first directory, which must stay readable. */
static bool is_free(const exif_block *block, size_t at, size_t bytes) {
    return at >= HEAD_BYTES && at <= block->size && bytes <= block->size - at &&
           (at >= block->link + 4 || at + bytes <= block->first);
}

/* Replace an entry by one number. */
static void put_entry(exif_block *block, size_t entry, int type, uint32_t value) {
    put(block, entry + 2, 2, (uint32_t)type);
    put(block, entry + 4, 4, 1);
    put(block, entry + 8, 4, 0);
    put(block, entry + 8, type == TYPE_SHORT ? 2 : 4, value);
}

/* How many whole entries a directory has.  returns false: it does not lie in the block. */
static bool directory_count(const exif_block *block, size_t at, size_t *ret_count) {
    if (at < HEAD_BYTES || at > block->size || block->size - at < 2)
        return false;
    size_t count = get(block, at, 2), fitting = (block->size - at - 2) / ENTRY_BYTES;
    *ret_count = count < fitting ? count : fitting;
    return true;
}

/* The entry of a tag, or 0. */
static size_t find_entry(const exif_block *block, size_t directory, uint32_t tag) {
    size_t count;
    if (!directory_count(block, directory, &count))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (get(block, directory + 2 + i * ENTRY_BYTES, 2) == tag)
            return directory + 2 + i * ENTRY_BYTES;
    return 0;
}

static uint32_t value_of(const exif_block *block, size_t entry) {
    uint32_t type = get(block, entry + 2, 2);
    return type == TYPE_SHORT ? get(block, entry + 8, 2) : type == TYPE_LONG ? get(block, entry + 8, 4) : 0;
}

static void set_number(exif_block *block, size_t directory, uint32_t tag, int type, uint32_t value) {
    size_t entry = find_entry(block, directory, tag);
    if (entry > 0)
        put_entry(block, entry, type, value);
}

/* Multiply a rational. It stays as it is if it is no number, or if the product does not fit. */
static void multiply(exif_block *block, size_t directory, uint32_t tag, double times) {
    size_t entry = find_entry(block, directory, tag);
    if (entry == 0 || get(block, entry + 2, 2) != TYPE_RATIONAL || get(block, entry + 4, 4) != 1)
        return;
    size_t at = get(block, entry + 8, 4);
    if (!is_free(block, at, 8))
        return;
    double over = get(block, at, 4) * times, under = get(block, at + 4, 4);
    if (under == 0)
        return;
    if (over != round(over) && over * 1000 <= UINT32_MAX && under * 1000 <= UINT32_MAX) {
        over *= 1000;
        under *= 1000;
    } else if (over > UINT32_MAX) {
        over /= under;
        under = 1;
    }
    if (over > UINT32_MAX)
        return;
    put(block, at, 4, (uint32_t)round(over));
    put(block, at + 4, 4, (uint32_t)under);
}

/* Cut the second directory off, which describes the thumbnail, and overwrite the thumbnail's bytes. At the end of the
 * block, where most are, they are cut off, too. */
static void remove_thumbnail(exif_block *block) {
    size_t directory = get(block, block->link, 4);
    put(block, block->link, 4, 0);
    size_t at_entry = find_entry(block, directory, TAG_JPEG_AT);
    size_t bytes_entry = find_entry(block, directory, TAG_JPEG_BYTES);
    if (at_entry == 0 || bytes_entry == 0)
        return;
    size_t at = value_of(block, at_entry), bytes = value_of(block, bytes_entry);
    if (bytes < 2 || !is_free(block, at, bytes) || memcmp(block->bytes + at, "\xff\xd8", 2) != 0)
        return;
    memset(block->bytes + at, 0, bytes);
    if (at + bytes == block->size && at >= block->link + 4)
        block->size = at;
}

/* Copy the entries whose tags are low..high.  returns the place after the copies. */
static size_t copy_entries(exif_block *block, size_t directory, size_t count, uint32_t low, uint32_t high, size_t to) {
    for (size_t i = 0; i < count; i++) {
        size_t from = directory + 2 + i * ENTRY_BYTES;
        uint32_t tag = get(block, from, 2);
        if (tag < low || tag > high)
            continue;
        memcpy(block->bytes + to, block->bytes + from, ENTRY_BYTES);
        to += ENTRY_BYTES;
    }
    return to;
}

/* Append a copy of the first directory with another Software, and that text. Tags are in ascending order. */
static void set_software(exif_block *block, const char *software) {
    size_t count = 0, directory = block->first, length = strnlen(software, SOFTWARE_MAX_BYTES);
    directory_count(block, directory, &count);
    if (block->size % 2 != 0)
        block->bytes[block->size++] = 0;
    size_t to = block->size, own = copy_entries(block, directory, count, 0, TAG_SOFTWARE - 1, to + 2);
    size_t end = copy_entries(block, directory, count, TAG_SOFTWARE + 1, UINT16_MAX, own + ENTRY_BYTES), text = end + 4;
    put(block, to, 2, (uint32_t)((end - to - 2) / ENTRY_BYTES));
    put(block, own, 2, TAG_SOFTWARE);
    put(block, own + 2, 2, TYPE_ASCII);
    put(block, own + 4, 4, (uint32_t)length + 1); /* more than 4 bytes, which lie outside of the entry */
    put(block, own + 8, 4, (uint32_t)text);
    put(block, end, 4, 0); /* there is no further directory */
    memcpy(block->bytes + text, software, length);
    block->bytes[text + length] = 0;
    put(block, 4, 4, (uint32_t)to);
    block->size = text + length + 1;
}

/* The sizes in the directory that EXIF adds. */
static void change_second(exif_block *block, const exif_change *change) {
    size_t entry = find_entry(block, block->first, TAG_EXIF_DIRECTORY), count;
    size_t second = entry > 0 ? value_of(block, entry) : 0;
    if (!directory_count(block, second, &count) || !is_free(block, second, 2 + count * ENTRY_BYTES))
        return;
    set_number(block, second, TAG_EXIF_WIDTH, TYPE_LONG, (uint32_t)change->width_px);
    set_number(block, second, TAG_EXIF_HEIGHT, TYPE_LONG, (uint32_t)change->height_px);
}

static swin2sr_status change_block(exif_block *block, const exif_change *change) {
    if (block->size < HEAD_BYTES || (memcmp(block->bytes, "II*\0", 4) != 0 && memcmp(block->bytes, "MM\0*", 4) != 0))
        return SWIN2SR_CORRUPT;
    block->is_big_endian = block->bytes[0] == 'M';
    size_t count, first = block->first = get(block, 4, 4);
    if (!directory_count(block, first, &count) || count != get(block, first, 2))
        return SWIN2SR_CORRUPT;
    block->link = first + 2 + count * ENTRY_BYTES;
    set_number(block, first, TAG_ORIENTATION, TYPE_SHORT, 1);
    set_number(block, first, TAG_WIDTH, TYPE_LONG, (uint32_t)change->width_px);
    set_number(block, first, TAG_HEIGHT, TYPE_LONG, (uint32_t)change->height_px);
    multiply(block, first, TAG_X_RESOLUTION, change->times);
    multiply(block, first, TAG_Y_RESOLUTION, change->times);
    change_second(block, change);
    if (block->size - block->link >= 4) /* some writers leave the last link out */
        remove_thumbnail(block);
    if (change->software != NULL)
        set_software(block, change->software);
    return SWIN2SR_OK;
}

swin2sr_status exif_edit(const image_block *exif, const exif_change *change, uint8_t **ret_bytes, size_t *ret_size) {
    static const uint8_t empty[HEAD_BYTES + 6] = {'I', 'I', '*', 0, HEAD_BYTES};
    const uint8_t *from = exif->data != NULL ? exif->data : empty;
    exif_block block = {.size = exif->data != NULL ? exif->size : sizeof(empty)};
    /* a second copy of the first directory is no larger than the block */
    block.room = 2 * block.size + SOFTWARE_MAX_BYTES + 64;
    if (exif->data != NULL && exif->size > IMAGE_EXIF_MAX_BYTES)
        return SWIN2SR_CORRUPT;
    block.bytes = malloc(block.room);
    if (block.bytes == NULL)
        return SWIN2SR_NOMEM;
    memcpy(block.bytes, from, block.size);
    swin2sr_status status = change_block(&block, change);
    if (status != SWIN2SR_OK) {
        free(block.bytes);
        return status;
    }
    *ret_bytes = block.bytes;
    *ret_size = block.size;
    return SWIN2SR_OK;
}
