/* SPDX-License-Identifier: Apache-2.0
 * probe/tiff.c - the first directory of a TIFF file (stage 2 of 9).
 * Reads at most 4096 entries, and of each at most four values. Other directories are not followed, so that a circle of
 * directories does no harm. Kinds that src/image/tiff.c does not read are refused here. */
#include <string.h>

#include "probe/window.h"

#define ENTRIES_MAX 4096
#define STORED_MAX_PX 0x7fffffffu
#define SIDE_MAX_PX 65535 /* of an image that is read */
#define SAMPLES_MAX 8
#define TILE_MAX_PIXELS (1u << 24)

typedef enum tiff_tag {
    TAG_SUBFILE = 254,
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_DEPTH = 258,
    TAG_COMPRESSION = 259,
    TAG_PHOTOMETRIC = 262,
    TAG_STRIP_OFFSETS = 273,
    TAG_ORIENTATION = 274,
    TAG_SAMPLES = 277,
    TAG_STRIP_ROWS = 278,
    TAG_STRIP_BYTES = 279,
    TAG_PLANES = 284,
    TAG_TILE_WIDTH = 322,
    TAG_TILE_HEIGHT = 323,
    TAG_TILE_OFFSETS = 324,
    TAG_TILE_BYTES = 325,
    TAG_EXTRA = 338,
    TAG_KIND_OF_SAMPLE = 339,
    TAG_DNG = 50706,
} tiff_tag;

enum {
    GREY_FROM_WHITE,
    GREY,
    RGB,
    PALETTE,
    MASK,
    CMYK,
    YCBCR
};

#define COMPRESSION_JPEG 7

typedef struct tiff_file {
    probe_window *window;
    bool is_big_endian, is_64_bit;
    uint32_t subfile, width, height, depth, compression, photometric, orientation, samples, strip_rows, planes,
        tile_width, tile_height, extra, kind_of_sample;
    bool has_mixed_depths, has_pixels, is_dng;
} tiff_file;

static uint64_t number(const tiff_file *file, const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[file->is_big_endian ? i : bytes - 1 - i];
    return value;
}

/* The bytes of a value of an integer type; 0: another type (TIFF 6.0, section 2; BigTIFF). */
static int bytes_of_type(uint32_t type) {
    static const uint8_t bytes[] = {[1] = 1, [3] = 2, [4] = 4, [13] = 4, [16] = 8, [18] = 8};
    return type < sizeof(bytes) ? bytes[type] : 0;
}

/* The first value of an entry, and whether the next three (of those there are) equal it.
 * entry  Where it lies in the file. */
static swin2sr_status read_values(tiff_file *file, uint64_t entry, uint32_t *ret_first, uint64_t *ret_count,
                                  bool *ret_are_equal) {
    int offset_bytes = file->is_64_bit ? 8 : 4;
    const uint8_t *at;
    swin2sr_status status = probe_look(file->window, entry, 4 + 2 * (size_t)offset_bytes, &at);
    if (status != SWIN2SR_OK)
        return status;
    int bytes = bytes_of_type((uint32_t)number(file, at + 2, 2));
    uint64_t count = number(file, at + 4, offset_bytes), looked = count < 4 ? count : 4;
    *ret_count = bytes ? count : 0;
    *ret_first = 0;
    *ret_are_equal = true;
    if (!bytes || !count)
        return SWIN2SR_OK;
    const uint8_t *value = at + 4 + offset_bytes;
    if (count > (uint64_t)offset_bytes / (uint64_t)bytes) {
        status = probe_look(file->window, number(file, value, offset_bytes), looked * (size_t)bytes, &value);
        if (status != SWIN2SR_OK)
            return status;
    }
    uint64_t first = number(file, value, bytes);
    *ret_first = first < UINT32_MAX ? (uint32_t)first : UINT32_MAX;
    for (uint64_t i = 1; i < looked; i++)
        *ret_are_equal &= number(file, value + i * (uint64_t)bytes, bytes) == first;
    return SWIN2SR_OK;
}

static swin2sr_status read_entry(tiff_file *file, uint64_t entry) {
    const struct {
        tiff_tag tag;
        uint32_t *value;
    } kept[] = {{TAG_SUBFILE, &file->subfile},
                {TAG_WIDTH, &file->width},
                {TAG_HEIGHT, &file->height},
                {TAG_DEPTH, &file->depth},
                {TAG_COMPRESSION, &file->compression},
                {TAG_PHOTOMETRIC, &file->photometric},
                {TAG_ORIENTATION, &file->orientation},
                {TAG_SAMPLES, &file->samples},
                {TAG_STRIP_ROWS, &file->strip_rows},
                {TAG_PLANES, &file->planes},
                {TAG_TILE_WIDTH, &file->tile_width},
                {TAG_TILE_HEIGHT, &file->tile_height},
                {TAG_EXTRA, &file->extra},
                {TAG_KIND_OF_SAMPLE, &file->kind_of_sample}};
    const uint8_t *at;
    swin2sr_status status = probe_look(file->window, entry, 2, &at);
    if (status != SWIN2SR_OK)
        return status;
    uint32_t tag = (uint32_t)number(file, at, 2), first;
    uint64_t count;
    bool are_equal;
    file->has_pixels |= tag == TAG_STRIP_OFFSETS || tag == TAG_TILE_OFFSETS;
    file->is_dng |= tag == TAG_DNG;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (kept[i].tag != tag)
            continue;
        status = read_values(file, entry, &first, &count, &are_equal);
        if (status != SWIN2SR_OK)
            return status;
        *kept[i].value = count ? first : *kept[i].value;
        file->has_mixed_depths |= (tag == TAG_DEPTH || tag == TAG_KIND_OF_SAMPLE) && !are_equal;
    }
    return SWIN2SR_OK;
}

static swin2sr_status read_directory(tiff_file *file) {
    const uint8_t *at;
    int offset_bytes = file->is_64_bit ? 8 : 4, count_bytes = file->is_64_bit ? 8 : 2;
    swin2sr_status status = probe_look(file->window, 0, 8 + (file->is_64_bit ? 8 : 0), &at);
    if (status != SWIN2SR_OK)
        return status;
    uint64_t directory = number(file, at + offset_bytes, offset_bytes);
    status = probe_look(file->window, directory, (size_t)count_bytes, &at);
    if (status != SWIN2SR_OK)
        return status;
    uint64_t count = number(file, at, count_bytes);
    if (count == 0 || count > ENTRIES_MAX)
        return SWIN2SR_CORRUPT;
    uint64_t entry_bytes = 4 + 2 * (uint64_t)offset_bytes, entry = directory + (uint64_t)count_bytes;
    for (; count > 0 && status == SWIN2SR_OK; count--, entry += entry_bytes)
        status = read_entry(file, entry);
    if (status == SWIN2SR_OK) /* where the next directory lies is not followed, but it must be there */
        status = probe_look(file->window, entry, (size_t)offset_bytes, &at);
    return status;
}

/* Why this kind of TIFF is not read; NULL: it is. */
static const char *fault_of(const tiff_file *file) {
    static const uint32_t compressions[] = {1, 5, 7, 8, 32773, 32946}; /* none, LZW, JPEG, deflate, PackBits, deflate */
    static const uint8_t least_samples[] = {1, 1, 3, 1, 1, 4, 3};
    bool is_known = false;
    for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++)
        is_known |= file->compression == compressions[i];
    bool is_grey = file->photometric <= GREY, is_palette = file->photometric == PALETTE;
    bool is_packed =
        (is_grey || is_palette) && file->samples == 1 && (file->depth == 1 || file->depth == 2 || file->depth == 4);
    bool is_jpeg = file->compression == COMPRESSION_JPEG;
    if (file->is_dng || (file->subfile & 1))
        return "the first picture of this TIFF is only a preview, as in raw files of cameras; convert it first";
    if (file->photometric > YCBCR || file->photometric == MASK)
        return "a TIFF of these colours cannot be read: they must be grey, RGB, CMYK, YCbCr or a palette";
    if (!is_known)
        return "a TIFF with this compression cannot be read: it must be none, LZW, deflate, PackBits or JPEG";
    if (file->photometric == YCBCR && !is_jpeg)
        return "a TIFF with YCbCr colours cannot be read unless they are compressed as JPEG";
    if (file->kind_of_sample != 1 || file->has_mixed_depths || (!is_packed && file->depth != 8 && file->depth != 16) ||
        (file->depth == 16 && (is_palette || is_jpeg)))
        return "a TIFF with samples of this kind cannot be read: they must be whole numbers of 8 or 16 bits";
    if ((uint64_t)file->tile_width * file->tile_height > TILE_MAX_PIXELS)
        return "a TIFF with tiles of more than 16 megapixels cannot be read";
    if (file->samples < least_samples[file->photometric] || file->samples > SAMPLES_MAX)
        return "a TIFF with this number of samples per pixel cannot be read";
    return NULL;
}

/* A row of tiles, or of strips if each plane has its own, and one tile or strip. One strip of all samples is decoded row
 * by row. */
static uint64_t codec_bytes(const tiff_file *file) {
    bool is_tiled = file->tile_width > 0, has_bands = is_tiled || file->planes == 2;
    uint64_t rows = is_tiled ? file->tile_height : file->strip_rows, bytes_per_sample = file->depth == 16 ? 2 : 1;
    uint64_t part = is_tiled ? (uint64_t)file->tile_width * file->tile_height : 0;
    if (!has_bands || file->width > SIDE_MAX_PX || file->height > SIDE_MAX_PX) /* a larger image is refused */
        return 0;
    rows = rows < file->height ? rows : file->height;
    part = is_tiled ? part : rows * file->width;
    return (rows * file->width + part) * file->samples * bytes_per_sample;
}

swin2sr_status probe_tiff(probe_window *window, probe_info *info) {
    tiff_file file = {.window = window,
                      .depth = 1,
                      .compression = 1,
                      .photometric = UINT32_MAX,
                      .samples = 1,
                      .strip_rows = UINT32_MAX,
                      .planes = 1,
                      .kind_of_sample = 1};
    const uint8_t *head;
    swin2sr_status status = probe_look(window, 0, 8, &head);
    if (status != SWIN2SR_OK)
        return status;
    file.is_big_endian = head[0] == 'M';
    file.is_64_bit = head[2] == '+' || head[3] == '+';
    status = read_directory(&file);
    if (status != SWIN2SR_OK)
        return status;
    if (!file.has_pixels || file.width == 0 || file.height == 0 || file.width > STORED_MAX_PX ||
        file.height > STORED_MAX_PX || file.strip_rows == 0 || !file.tile_width != !file.tile_height ||
        file.tile_width > SIDE_MAX_PX || file.tile_height > SIDE_MAX_PX || file.samples == 0)
        return SWIN2SR_CORRUPT;
    const char *fault = fault_of(&file);
    if (fault)
        return probe_refuse(window, fault);
    int32_t colours = file.photometric <= GREY ? 1 : 3;
    uint32_t least = file.photometric == CMYK ? 4 : file.photometric == PALETTE ? 1 : (uint32_t)colours;
    info->has_alpha = file.photometric != CMYK && file.photometric != PALETTE && file.samples > least &&
                      (file.extra == 1 || file.extra == 2);
    info->width_px = (int32_t)file.width;
    info->height_px = (int32_t)file.height;
    info->channels = file.photometric == CMYK ? 4 : colours + info->has_alpha;
    info->depth_bits = (int32_t)file.depth;
    info->orientation = file.orientation >= 1 && file.orientation <= 8 ? (int32_t)file.orientation : 1;
    info->codec_bytes = codec_bytes(&file);
    info->is_lossy = file.compression == COMPRESSION_JPEG;
    return SWIN2SR_OK;
}
