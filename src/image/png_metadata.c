/* SPDX-License-Identifier: Apache-2.0
 * image/png_metadata.c - the chunks of a PNG file that are not pixels (stages 4 decode and 8 encode of 9).
 * In: a file in memory, or metadata.  Out: metadata, or chunks. Compressed chunks are inflated up to the limits of
 * image.h and no further; all other blocks point into the file. */
#include "image/png_metadata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "image/png_chunk.h"

#define KEYWORD_MAX_BYTES 79
#define FIRST_INFLATE_BYTES 16384
#define XMP_KEYWORD "XML:com.adobe.xmp"

/* ---- read ---- */

typedef struct png_scan {
    image_decoder *decoder;
    image_metadata *found;
    bool is_srgb, has_pixels, has_iccp, has_xmp; /* chunks seen so far, damaged or not */
    bool is_out_of_memory;
    int held; /* how many of decoder->held are in use */
} png_scan;

/* Inflate a whole stream.
 * returns  Memory of the caller; NULL: it is damaged, empty, larger than max_bytes, or there is no memory. */
static uint8_t *inflate_all(png_scan *scan, const uint8_t *data, size_t size, size_t max_bytes, size_t *ret_size) {
    z_stream stream = {.next_in = (Bytef *)data, .avail_in = (uInt)size}; /* not written to */
    uint8_t *out = NULL;
    size_t room = 0;
    int result = inflateInit(&stream);
    while (result == Z_OK && stream.total_out == room && room <= max_bytes) {
        room = room == 0 ? FIRST_INFLATE_BYTES : 2 * room;
        uint8_t *larger = realloc(out, room);
        scan->is_out_of_memory |= larger == NULL;
        if (larger == NULL)
            break;
        out = larger;
        stream.next_out = out + stream.total_out;
        stream.avail_out = (uInt)(room - stream.total_out);
        result = inflate(&stream, Z_NO_FLUSH);
    }
    *ret_size = stream.total_out;
    inflateEnd(&stream);
    if (result == Z_STREAM_END && *ret_size > 0 && *ret_size <= max_bytes)
        return out;
    free(out);
    return NULL;
}

/* Keep inflated bytes as a block; without them, note why there is none. */
static void hold(png_scan *scan, uint8_t *bytes, size_t size, image_block *block, uint32_t note) {
    if (bytes == NULL) {
        scan->decoder->notes |= note;
        return;
    }
    scan->decoder->held[scan->held++] = bytes;
    *block = (image_block){bytes, size};
}

/* The length of the text at the start of a chunk; size: it has no end. */
static size_t text_bytes(const uint8_t *body, size_t size) {
    const uint8_t *end = size > 0 ? memchr(body, 0, size) : NULL;
    return end != NULL ? (size_t)(end - body) : size;
}

static void take_iccp(png_scan *scan, const uint8_t *body, size_t size) {
    size_t name = text_bytes(body, size), at = name + 2; /* terminator, compression method */
    if (scan->has_iccp)                                  /* or each of thousands of damaged ones would be inflated */
        return;
    scan->has_iccp = true;
    uint8_t *profile = NULL;
    size_t profile_bytes = 0;
    if (name <= KEYWORD_MAX_BYTES && at < size && body[name + 1] == 0)
        profile = inflate_all(scan, body + at, size - at, IMAGE_ICC_MAX_BYTES, &profile_bytes);
    hold(scan, profile, profile_bytes, &scan->found->icc, NOTE_PROFILE_DROPPED);
}

/* Texts about the file itself, which are not true of the output. */
static bool is_about_the_file(const uint8_t *body, size_t size) {
    return (size > 8 && memcmp(body, "Software", 9) == 0) || (size > 5 && memcmp(body, "date:", 5) == 0);
}

static void take_itxt(png_scan *scan, const uint8_t *body, size_t size) {
    size_t at = sizeof(XMP_KEYWORD) + 2; /* compression flag and method */
    if (size < at || memcmp(body, XMP_KEYWORD, sizeof(XMP_KEYWORD)) != 0) {
        scan->decoder->notes |= is_about_the_file(body, size) ? 0 : NOTE_TEXT_DROPPED;
        return;
    }
    bool is_compressed = body[at - 2] == 1;
    for (int i = 0; i < 2 && at < size; i++) /* language, translated keyword */
        at += text_bytes(body + at, size - at) + 1;
    if (scan->has_xmp || at >= size)
        return;
    scan->has_xmp = true;
    size_t packet_bytes = size - at;
    if (is_compressed) {
        uint8_t *packet = inflate_all(scan, body + at, size - at, IMAGE_XMP_MAX_BYTES, &packet_bytes);
        hold(scan, packet, packet_bytes, &scan->found->xmp, NOTE_XMP_DROPPED);
    } else if (packet_bytes <= IMAGE_XMP_MAX_BYTES) {
        scan->found->xmp = (image_block){body + at, packet_bytes};
    } else {
        scan->decoder->notes |= NOTE_XMP_DROPPED;
    }
}

static void take_exif(png_scan *scan, const uint8_t *body, size_t size) {
    if (scan->found->exif.data != NULL || size == 0)
        return;
    if (size <= IMAGE_EXIF_MAX_BYTES)
        scan->found->exif = (image_block){body, size};
    else
        scan->decoder->notes |= NOTE_EXIF_DROPPED;
}

/* Chunks that count only before the pixels. returns false if the chunk is none of them. */
static bool take_header(png_scan *scan, const char *type, const uint8_t *body, size_t size) {
    image_metadata *found = scan->found;
    if (memcmp(type, "iCCP", 4) == 0) {
        take_iccp(scan, body, size);
    } else if (memcmp(type, "sRGB", 4) == 0 && size == 1) {
        scan->is_srgb = true;
    } else if (memcmp(type, "gAMA", 4) == 0 && size == 4) {
        found->gamma = png_get_u32(body);
    } else if (memcmp(type, "cHRM", 4) == 0 && size == 32) {
        for (int i = 0; i < 8; i++)
            found->chromaticities[i] = png_get_u32(body + 4 * i);
    } else if (memcmp(type, "cICP", 4) == 0 && size == 4) {
        memcpy(found->cicp, body, 4);
    } else if (memcmp(type, "pHYs", 4) == 0 && size == 9 && body[8] == 1) {
        found->x_per_metre = png_get_u32(body);
        found->y_per_metre = png_get_u32(body + 4);
    } else {
        return false;
    }
    return true;
}

static void take_chunk(png_scan *scan, const char *type, const uint8_t *body, size_t size) {
    if (memcmp(type, "IDAT", 4) == 0)
        scan->has_pixels = true;
    else if (!scan->has_pixels && take_header(scan, type, body, size))
        return;
    else if (memcmp(type, "eXIf", 4) == 0)
        take_exif(scan, body, size);
    else if (memcmp(type, "iTXt", 4) == 0)
        take_itxt(scan, body, size);
    else if ((memcmp(type, "tEXt", 4) == 0 || memcmp(type, "zTXt", 4) == 0) && !is_about_the_file(body, size))
        scan->decoder->notes |= NOTE_TEXT_DROPPED;
}

/* Whether a chunk is wanted, before its checksum is computed: critical chunks and those of animations are not. */
static bool is_wanted(const char *type) {
    return memcmp(type, "IDAT", 4) == 0 || ((type[0] & 0x20) && memcmp(type, "fdAT", 4) != 0);
}

swin2sr_status png_metadata_read(const uint8_t *data, size_t size, image_decoder *decoder) {
    png_scan scan = {.decoder = decoder, .found = &decoder->metadata};
    for (size_t at = PNG_SIGNATURE_BYTES;
         size - at >= PNG_CHUNK_HEAD_BYTES + PNG_CHUNK_TAIL_BYTES && !scan.is_out_of_memory;) {
        size_t length = png_get_u32(data + at);
        const uint8_t *body = data + at + PNG_CHUNK_HEAD_BYTES;
        if (length > size - at - PNG_CHUNK_HEAD_BYTES - PNG_CHUNK_TAIL_BYTES)
            break;
        bool is_pixels = memcmp(body - 4, "IDAT", 4) == 0;
        if (is_wanted((const char *)body - 4) &&
            (is_pixels || crc32(0, body - 4, (uInt)length + 4) == png_get_u32(body + length)))
            take_chunk(&scan, (const char *)body - 4, body, length);
        at += PNG_CHUNK_HEAD_BYTES + length + PNG_CHUNK_TAIL_BYTES;
    }
    if (scan.is_srgb) {
        scan.found->gamma = 0;
        memset(scan.found->chromaticities, 0, sizeof(scan.found->chromaticities));
    }
    return scan.is_out_of_memory ? SWIN2SR_NOMEM : SWIN2SR_OK;
}

/* ---- write ---- */

#define ICCP_NAME "ICC profile"
#define ICCP_HEAD_BYTES (sizeof(ICCP_NAME) + 1) /* with the compression method */
#define XMP_HEAD_BYTES (sizeof(XMP_KEYWORD) + 4)
#define SOFTWARE_KEYWORD "Software"
#define SOFTWARE_MAX_BYTES 1024

static swin2sr_status pack_icc(const image_block *icc, image_block *ret_body) {
    uLongf packed_bytes = compressBound((uLong)icc->size);
    uint8_t *body = malloc(ICCP_HEAD_BYTES + packed_bytes);
    if (body == NULL)
        return SWIN2SR_NOMEM;
    memcpy(body, ICCP_NAME "\0", ICCP_HEAD_BYTES);
    if (compress2(body + ICCP_HEAD_BYTES, &packed_bytes, icc->data, (uLong)icc->size, Z_DEFAULT_COMPRESSION) != Z_OK) {
        free(body);
        return SWIN2SR_NOMEM;
    }
    *ret_body = (image_block){body, ICCP_HEAD_BYTES + packed_bytes};
    return SWIN2SR_OK;
}

/* An iTXt chunk that is not compressed, without language and translated keyword. */
static swin2sr_status pack_xmp(const image_block *xmp, image_block *ret_body) {
    uint8_t *body = calloc(1, XMP_HEAD_BYTES + xmp->size);
    if (body == NULL)
        return SWIN2SR_NOMEM;
    memcpy(body, XMP_KEYWORD, sizeof(XMP_KEYWORD));
    memcpy(body + XMP_HEAD_BYTES, xmp->data, xmp->size);
    *ret_body = (image_block){body, XMP_HEAD_BYTES + xmp->size};
    return SWIN2SR_OK;
}

swin2sr_status png_metadata_pack(const image_metadata *metadata, png_packed *packed) {
    swin2sr_status status = SWIN2SR_OK;
    if (metadata->icc.data != NULL)
        status = pack_icc(&metadata->icc, &packed->iccp);
    if (status == SWIN2SR_OK && metadata->xmp.data != NULL)
        status = pack_xmp(&metadata->xmp, &packed->xmp);
    return status;
}

void png_packed_done(png_packed *packed) {
    free((void *)packed->iccp.data);
    free((void *)packed->xmp.data);
}

static void write_colour(const image_metadata *metadata, const png_packed *packed, png_chunk_sink sink, void *context) {
    uint8_t body[32] = {0};
    bool has_chromaticities = metadata->chromaticities[0] > 0;
    if (metadata->cicp[0] > 0)
        sink(context, "cICP", metadata->cicp, sizeof(metadata->cicp));
    if (metadata->gamma > 0) {
        png_put_u32(body, metadata->gamma);
        sink(context, "gAMA", body, 4);
    }
    for (int i = 0; i < 8; i++)
        png_put_u32(body + 4 * i, metadata->chromaticities[i]);
    if (has_chromaticities)
        sink(context, "cHRM", body, 32);
    if (packed->iccp.data != NULL)
        sink(context, "iCCP", packed->iccp.data, packed->iccp.size);
    else if (metadata->cicp[0] == 0 && metadata->gamma == 0 && !has_chromaticities)
        sink(context, "sRGB", (const uint8_t[]){0}, 1); /* perceptual */
}

static void write_resolution(const image_metadata *metadata, png_chunk_sink sink, void *context) {
    uint8_t body[9];
    double x = round(metadata->x_per_metre), y = round(metadata->y_per_metre);
    if (!(x >= 1 && x <= INT32_MAX && y >= 1 && y <= INT32_MAX))
        return;
    png_put_u32(body, (uint32_t)x);
    png_put_u32(body + 4, (uint32_t)y);
    body[8] = 1; /* per metre */
    sink(context, "pHYs", body, sizeof(body));
}

void png_metadata_write(const image_metadata *metadata, const png_packed *packed, png_chunk_sink sink, void *context) {
    write_colour(metadata, packed, sink, context);
    write_resolution(metadata, sink, context);
    if (metadata->exif.data != NULL)
        sink(context, "eXIf", metadata->exif.data, metadata->exif.size);
    if (packed->xmp.data != NULL)
        sink(context, "iTXt", packed->xmp.data, packed->xmp.size);
    if (metadata->software != NULL) {
        char body[sizeof(SOFTWARE_KEYWORD) + SOFTWARE_MAX_BYTES] = SOFTWARE_KEYWORD;
        size_t length = strnlen(metadata->software, SOFTWARE_MAX_BYTES);
        memcpy(body + sizeof(SOFTWARE_KEYWORD), metadata->software, length);
        sink(context, "tEXt", (const uint8_t *)body, sizeof(SOFTWARE_KEYWORD) + length);
    }
}
