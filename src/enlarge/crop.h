/* SPDX-License-Identifier: Apache-2.0
 * enlarge/crop.h - the part of an image that is enlarged, as rows (stage 4 of 9, decode).
 * Rows above the part are read and dropped; rows below it are not read. */
#pragma once

#include "format/target.h"
#include "image/image.h"

typedef struct crop {
    image_reader *reader; /* borrowed */
    image_info info;      /* of the part */
    size_t x_bytes;       /* of a row, left of the part */
    int32_t skipped_rows; /* still to be dropped before the first row of the part */
    uint8_t *row;         /* of the whole image; NULL: the part is the image */
    uint8_t *ahead;       /* rows of the part that crop_peek has read, packed; NULL: none */
    int32_t ahead_rows;   /* of them */
    int32_t ahead_taken;  /* of these, how many crop_read has delivered */
} crop;

/* The sides of the part of an image of these sides.  errors  _INVALID (it is not inside of the image). */
swin2sr_status crop_part(const format_target *target, int32_t *width_px, int32_t *height_px, swin2sr_error *reterr);

/* errors  _INVALID (the part is not inside of the image), _NOMEM. self is the caller's (crop_done), in any case. */
swin2sr_status crop_open(crop *self, image_reader *reader, const format_target *target, swin2sr_error *reterr);

/* As image_reader_read. */
swin2sr_status crop_read(crop *self, uint8_t *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr);

/* Read the first n rows of the part before crop_read delivers them. Once, before the first crop_read.
 * ret_rows  Packed; they live until crop_read has delivered them.
 * errors    As those of image_reader_read; _NOMEM. */
swin2sr_status crop_peek(crop *self, int32_t n, const uint8_t **ret_rows, swin2sr_error *reterr);

void crop_done(crop *self); /* not opened is fine */
