/* SPDX-License-Identifier: Apache-2.0
 * enlarge/crop.c - the part of an image that is enlarged, as rows (stage 4 of 9, decode). Holds one row. */
#include "enlarge/crop.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

swin2sr_status crop_part(const format_target *target, int32_t *width_px, int32_t *height_px, swin2sr_error *reterr) {
    int32_t width = *width_px, height = *height_px;
    if (!format_target_is_sound(target))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the size that is asked for is out of range");
    if (format_target_part(target, width, height, width_px, height_px))
        return SWIN2SR_OK;
    return swin2sr__error_set(
        reterr, SWIN2SR_INVALID, "crop %u,%u,%u,%u is not inside of the image, which has %d x %d pixels",
        target->crop_x_px, target->crop_y_px, target->crop_width_px, target->crop_height_px, width, height);
}

swin2sr_status crop_open(crop *self, image_reader *reader, const format_target *target, swin2sr_error *reterr) {
    *self = (crop){.reader = reader, .info = *image_reader_info(reader)};
    int32_t width_px = self->info.width_px;
    size_t pixel_bytes = (size_t)(self->info.channels * self->info.sample_bytes);
    swin2sr_status status = crop_part(target, &self->info.width_px, &self->info.height_px, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (!target->crop_width_px)
        return SWIN2SR_OK;
    self->x_bytes = (size_t)target->crop_x_px * pixel_bytes;
    self->skipped_rows = (int32_t)target->crop_y_px;
    self->row = malloc((size_t)width_px * pixel_bytes);
    return self->row != NULL ? SWIN2SR_OK
                             : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to cut the image");
}

static size_t part_bytes(const crop *self) {
    return (size_t)self->info.width_px * (size_t)(self->info.channels * self->info.sample_bytes);
}

static swin2sr_status read_on(crop *self, uint8_t *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    if (self->row == NULL)
        status = image_reader_read(self->reader, rows, stride_bytes, n, reterr);
    for (; self->skipped_rows > 0 && status == SWIN2SR_OK; self->skipped_rows--)
        status = image_reader_read(self->reader, self->row, 0, 1, reterr);
    for (int32_t i = 0; i < n && self->row != NULL && status == SWIN2SR_OK; i++) {
        status = image_reader_read(self->reader, self->row, 0, 1, reterr);
        memcpy(rows + (size_t)i * stride_bytes, self->row + self->x_bytes, part_bytes(self));
    }
    self->info.damage = image_reader_info(self->reader)->damage;
    return status;
}

swin2sr_status crop_peek(crop *self, int32_t n, const uint8_t **ret_rows, swin2sr_error *reterr) {
    self->ahead = malloc((size_t)n * part_bytes(self));
    if (self->ahead == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to look at the image");
    swin2sr_status status = read_on(self, self->ahead, part_bytes(self), n, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->ahead_rows = n;
    *ret_rows = self->ahead;
    return SWIN2SR_OK;
}

swin2sr_status crop_read(crop *self, uint8_t *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr) {
    for (; n > 0 && self->ahead_taken < self->ahead_rows; n--, rows += stride_bytes)
        memcpy(rows, self->ahead + (size_t)self->ahead_taken++ * part_bytes(self), part_bytes(self));
    if (self->ahead != NULL && self->ahead_taken == self->ahead_rows) {
        free(self->ahead);
        self->ahead = NULL;
    }
    return n > 0 ? read_on(self, rows, stride_bytes, n, reterr) : SWIN2SR_OK;
}

void crop_done(crop *self) {
    free(self->row);
    free(self->ahead);
}
