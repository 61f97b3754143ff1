/* SPDX-License-Identifier: Apache-2.0
 * admit/cost.c - memory and time of a picture before anything is decoded.
 * In: width, height and kind; the coefficients of READY.  Out: bytes and microseconds.
 * The network's memory grows with the upright width; what the reader holds beside a strip is what probe.h says. */
#include "admit/cost.h"

#define MULTIPLE_PX 8

static uint64_t filled_up(int32_t side_px) {
    return ((uint64_t)side_px + MULTIPLE_PX - 1) / MULTIPLE_PX * MULTIPLE_PX;
}

admit_cost admit_cost_of(const ipc_ready *model, const probe_info *info) {
    uint64_t width = filled_up(info->width_px), height = filled_up(info->height_px);
    uint64_t upright_width = info->orientation > 4 ? height : width;
    return (admit_cost){
        .bytes = model->base_bytes + model->column_bytes * upright_width + probe_held_bytes(info),
        /* 2^40 us a megapixel and less than 2^34 pixels fit as doubles, nearly enough */
        .us = (uint64_t)((double)model->us_per_megapixel * (double)(width * height) / 1e6),
    };
}
