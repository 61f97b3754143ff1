/* SPDX-License-Identifier: Apache-2.0
 * image/jpeg_metadata.c - the segments of a JPEG file that are not pixels (stages 4 decode and 8 encode of 9).
 * In: a file in memory, or metadata.  Out: metadata, or segments. Blocks point into the file, but for an ICC profile in
 * several segments, which is put together within the limit of image.h. */
#include "image/jpeg_metadata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define METRES_PER_INCH 0.0254
#define SEGMENT_MAX_BYTES 65533 /* of a body */
#define ICC_PARTS 255           /* their number has one byte */

/* Names at the start of bodies; the terminator is part of each. */
static const char jfif_name[] = "JFIF", exif_name[] = "Exif\0", xmp_name[] = "http://ns.adobe.com/xap/1.0/",
                  xmp_more_name[] = "http://ns.adobe.com/xmp/extension/", icc_name[] = "ICC_PROFILE",
                  photoshop_name[] = "Photoshop 3.0";

enum {
    MARKER_SOI = 0xd8,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_APP0 = 0xe0,
    MARKER_APP1 = 0xe1,
    MARKER_APP2 = 0xe2,
    MARKER_APP13 = 0xed,
    MARKER_COM = 0xfe,
};

/* ---- read ---- */

#define ICC_HEAD_BYTES (sizeof(icc_name) + 2) /* with the number of the part, and of parts */

typedef struct jpeg_scan {
    image_decoder *decoder;
    image_metadata *found;
    image_block icc[ICC_PARTS]; /* by number */
    size_t icc_parts;           /* as the first of them says; 0: there is none */
    bool is_icc_bad;
} jpeg_scan;

static bool is_named(const uint8_t *body, size_t size, const char *name, size_t name_bytes) {
    return size >= name_bytes && memcmp(body, name, name_bytes) == 0;
}
#define IS_NAMED(body, size, name) is_named(body, size, name, sizeof(name))

static void take_jfif(jpeg_scan *scan, const uint8_t *body, size_t size) {
    size_t at = sizeof(jfif_name) + 2; /* version */
    if (size < at + 5)
        return;
    double metres = body[at] == 1 ? METRES_PER_INCH : body[at] == 2 ? 0.01 : 0;
    if (metres > 0) {
        scan->found->x_per_metre = (body[at + 1] << 8 | body[at + 2]) / metres;
        scan->found->y_per_metre = (body[at + 3] << 8 | body[at + 4]) / metres;
    }
}

static void take_icc(jpeg_scan *scan, const uint8_t *body, size_t size) {
    size_t number = body[sizeof(icc_name)], parts = body[sizeof(icc_name) + 1];
    if (scan->icc_parts == 0)
        scan->icc_parts = parts;
    if (number < 1 || number > parts || parts != scan->icc_parts || scan->icc[number - 1].data != NULL)
        scan->is_icc_bad = true;
    else
        scan->icc[number - 1] = (image_block){body + ICC_HEAD_BYTES, size - ICC_HEAD_BYTES};
}

static void take_block(image_block *block, const uint8_t *body, size_t size, size_t head_bytes) {
    if (block->data == NULL && size > head_bytes)
        *block = (image_block){body + head_bytes, size - head_bytes};
}

static void take_segment(jpeg_scan *scan, int marker, const uint8_t *body, size_t size) {
    if (marker == MARKER_APP0 && IS_NAMED(body, size, jfif_name))
        take_jfif(scan, body, size);
    else if (marker == MARKER_APP1 && IS_NAMED(body, size, exif_name))
        take_block(&scan->found->exif, body, size, sizeof(exif_name));
    else if (marker == MARKER_APP1 && IS_NAMED(body, size, xmp_name))
        take_block(&scan->found->xmp, body, size, sizeof(xmp_name));
    else if (marker == MARKER_APP1 && IS_NAMED(body, size, xmp_more_name))
        scan->decoder->notes |= NOTE_XMP_DROPPED;
    else if (marker == MARKER_APP2 && IS_NAMED(body, size, icc_name) && size >= ICC_HEAD_BYTES)
        take_icc(scan, body, size);
    else if (marker == MARKER_COM || (marker == MARKER_APP13 && IS_NAMED(body, size, photoshop_name)))
        scan->decoder->notes |= NOTE_TEXT_DROPPED;
}

static swin2sr_status join_icc(jpeg_scan *scan) {
    size_t total = 0, at = 0;
    for (size_t i = 0; i < scan->icc_parts; i++) {
        total += scan->icc[i].size;
        scan->is_icc_bad |= scan->icc[i].data == NULL;
    }
    if (scan->is_icc_bad || total > IMAGE_ICC_MAX_BYTES)
        scan->decoder->notes |= NOTE_PROFILE_DROPPED;
    if (scan->is_icc_bad || total > IMAGE_ICC_MAX_BYTES || total == 0)
        return SWIN2SR_OK;
    if (scan->icc_parts == 1) {
        scan->found->icc = scan->icc[0];
        return SWIN2SR_OK;
    }
    uint8_t *joined = malloc(total);
    if (joined == NULL)
        return SWIN2SR_NOMEM;
    for (size_t i = 0; i < scan->icc_parts; at += scan->icc[i++].size)
        memcpy(joined + at, scan->icc[i].data, scan->icc[i].size);
    scan->decoder->held[0] = joined;
    scan->found->icc = (image_block){joined, total};
    return SWIN2SR_OK;
}

swin2sr_status jpeg_metadata_read(const uint8_t *data, size_t size, image_decoder *decoder) {
    jpeg_scan scan = {.decoder = decoder, .found = &decoder->metadata};
    for (size_t at = 2; at + 4 <= size && data[at] == 0xff;) {
        int marker = data[at + 1];
        size_t length = (size_t)data[at + 2] << 8 | data[at + 3];
        if (marker == 0xff) { /* fill */
            at++;
            continue;
        }
        if (marker == MARKER_SOS || marker == MARKER_EOI || length < 2 || length > size - at - 2)
            break;
        take_segment(&scan, marker, data + at + 4, length - 2);
        at += 2 + length;
    }
    return join_icc(&scan);
}

/* ---- write ---- */

#define ICC_PART_BYTES (SEGMENT_MAX_BYTES - ICC_HEAD_BYTES)

uint16_t jpeg_metadata_dpi(double per_metre) {
    double dpi = round(per_metre * METRES_PER_INCH);
    return dpi >= 1 && dpi <= UINT16_MAX ? (uint16_t)dpi : 0;
}

static bool write_icc(const image_block *icc, jpeg_segment_sink sink, void *context) {
    size_t parts = (icc->size + ICC_PART_BYTES - 1) / ICC_PART_BYTES;
    if (parts > ICC_PARTS)
        return false;
    for (size_t i = 0; i < parts; i++) {
        char head[ICC_HEAD_BYTES];
        size_t at = i * ICC_PART_BYTES, left = icc->size - at;
        memcpy(head, icc_name, sizeof(icc_name));
        head[sizeof(icc_name)] = (char)(i + 1);
        head[sizeof(icc_name) + 1] = (char)parts;
        sink(context, MARKER_APP2, head, sizeof(head), icc->data + at, left < ICC_PART_BYTES ? left : ICC_PART_BYTES);
    }
    return true;
}

/* returns false if the block is too large for a segment. */
static bool write_block(int marker, const char *name, size_t name_bytes, const image_block *block,
                        jpeg_segment_sink sink, void *context) {
    if (block->data == NULL)
        return true;
    if (block->size > SEGMENT_MAX_BYTES - name_bytes)
        return false;
    sink(context, marker, name, name_bytes, block->data, block->size);
    return true;
}

uint32_t jpeg_metadata_write(const image_metadata *metadata, jpeg_segment_sink sink, void *context) {
    bool has_exif = write_block(MARKER_APP1, exif_name, sizeof(exif_name), &metadata->exif, sink, context);
    bool has_xmp = write_block(MARKER_APP1, xmp_name, sizeof(xmp_name), &metadata->xmp, sink, context);
    bool has_icc = metadata->icc.data != NULL && write_icc(&metadata->icc, sink, context);
    bool has_resolution = jpeg_metadata_dpi(metadata->x_per_metre) > 0 && jpeg_metadata_dpi(metadata->y_per_metre) > 0;
    return image_encoder_notes(metadata, has_icc, has_exif, has_xmp, has_resolution);
}
