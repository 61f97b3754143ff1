/* SPDX-License-Identifier: Apache-2.0
 * admit/cost.c - the memory and time that an image will take (stage 2 of 9, admit).
 * In: width, height and format; the coefficients of READY.  Out: bytes and microseconds.
 * The network's memory grows with the width of the upright image. The decoder's memory is that of probe_held_bytes. */
#include "admit/admit.h"

admit_cost admit_cost_of(const network *target, const probe_info *info) {
    const ipc_ready *facts = &target->facts;
    uint64_t upright_width_px = (uint64_t)(info->orientation > 4 ? info->height_px : info->width_px);
    uint64_t pixels = estimate_pixels((uint64_t)info->width_px, (uint64_t)info->height_px);
    return (admit_cost){
        .bytes = facts->base_bytes + facts->column_bytes * estimate_side_px(upright_width_px) + probe_held_bytes(info),
        .us = estimate_us(&target->time, pixels),
        .least_us = estimate_least_us(&target->time, pixels),
    };
}
