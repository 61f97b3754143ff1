/* SPDX-License-Identifier: Apache-2.0
 * admit/cost.c - memory and time of a picture before anything is decoded.
 * In: width, height and kind; the coefficients of READY.  Out: bytes and microseconds.
 * The network's memory grows with the upright width; what the reader holds beside a strip is what probe.h says. */
#include "admit/cost.h"

#define MULTIPLE_PX 8

static uint64_t filled_up(int32_t side_px) {
    return ((uint64_t)side_px + MULTIPLE_PX - 1) / MULTIPLE_PX * MULTIPLE_PX;
}

admit_cost admit_cost_of(const network *target, const probe_info *info) {
    const ipc_ready *facts = &target->facts;
    int32_t upright_width_px = info->orientation > 4 ? info->height_px : info->width_px;
    uint64_t pixels = estimate_pixels((uint64_t)info->width_px, (uint64_t)info->height_px);
    return (admit_cost){
        .bytes = facts->base_bytes + facts->column_bytes * filled_up(upright_width_px) + probe_held_bytes(info),
        .us = estimate_us(&target->time, pixels),
        .least_us = estimate_least_us(&target->time, pixels),
    };
}
