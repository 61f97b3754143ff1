/* SPDX-License-Identifier: Apache-2.0
 * enlarge/choose.c - the rows that are looked at, and the decision (stage 4 of 9, decode). */
#include "enlarge/choose.h"

#include "base/error.h"
#include "enlarge/damage.h"

/* As many as CHOICE_HELD_BYTES hold. */
static int32_t rows_of(const image_info *info, size_t row_bytes) {
    size_t rows = CHOICE_HELD_BYTES / row_bytes;
    rows = rows < DAMAGE_ROWS_MAX ? rows : DAMAGE_ROWS_MAX;
    return rows < (size_t)info->height_px ? (int32_t)rows : info->height_px;
}

swin2sr_status choose(crop *part, const void *data, size_t size, choice_reason *ret_choice, swin2sr_error *reterr) {
    const image_info *info = &part->info;
    probe_info header;
    damage_measures measures;
    const uint8_t *rows;
    swin2sr_status status = probe_bytes(data, size, &header, reterr);
    if (status != SWIN2SR_OK)
        return status;
    *ret_choice = damage_by_header(&header);
    size_t row_bytes = (size_t)info->width_px * (size_t)(info->channels * info->sample_bytes);
    int32_t n = rows_of(info, row_bytes);
    if (*ret_choice != CHOICE_UNDAMAGED || n == 0)
        return SWIN2SR_OK;
    status = crop_peek(part, n, &rows, reterr);
    if (status != SWIN2SR_OK)
        return status;
    const rows_kind kind = {info->channels, info->channels - (info->channels % 2 == 0), info->sample_bytes};
    status = damage_measure(&kind, rows, row_bytes, info->width_px, n, &measures);
    if (status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, status, "not enough memory to look at the image");
    *ret_choice = damage_by_measures(&measures);
    return SWIN2SR_OK;
}
