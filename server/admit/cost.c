/* SPDX-License-Identifier: Apache-2.0
 * admit/cost.c - the memory and time that an image will take (stage 2 of 9, admit).
 * In: width, height and format; the coefficients of READY.  Out: bytes and microseconds.
 * The network's memory grows with the width of the upright image. That of the codecs is cost_held_bytes. */
#include "admit/admit.h"
#include "base/fit.h"
#include "pool/cheaper.h"

/* What src/enlarge/animation.c and a decoder of frames hold: per pixel, canvases of RGBA; and areas that may come again. */
#define CANVASES_READ_BYTES 12 /* of the whole input */
#define CANVASES_IN_BYTES 12   /* of the part that is enlarged */
#define CANVASES_FULL_BYTES 8  /* of the network's output */
#define CANVASES_SIZED_BYTES 4 /* of a result with another size */
#define KEPT_BYTES ((uint64_t)64 << 20)

uint64_t cost_decoder_bytes(const probe_info *info, bool is_animation) {
    uint64_t canvases = is_animation ? (uint64_t)info->width_px * (uint64_t)info->height_px * CANVASES_READ_BYTES : 0;
    return probe_held_bytes(info) + canvases;
}

static uint64_t upright_width_px(const probe_info *info) {
    return (uint64_t)(info->orientation > 4 ? info->height_px : info->width_px);
}

/* They are floats beside a file of 16-bit samples. */
uint32_t cost_sample_bytes(const probe_info *info) {
    return info->depth_bits > 8 ? sizeof(float) : 1;
}

static uint64_t edge_bytes(const network *target, const probe_info *info, uint64_t width_px) {
    return cheaper_edge_bytes(&target->facts, width_px, cost_sample_bytes(info));
}

uint64_t cost_strips_bytes(const network *target, const probe_info *info) {
    return cheaper_strips_bytes(&target->facts, upright_width_px(info), cost_sample_bytes(info));
}

void cost_out_size(const network *target, const probe_info *info, const admit_work *work, int32_t *ret_width_px,
                   int32_t *ret_height_px) {
    bool is_turned = info->orientation > 4;
    int32_t width_px = is_turned ? info->height_px : info->width_px;
    int32_t height_px = is_turned ? info->width_px : info->height_px;
    if (work->shrink_px)
        swin2sr__fit_size(width_px, height_px, (int32_t)work->shrink_px, &width_px, &height_px);
    format_target_size(&work->target, width_px, height_px, (int32_t)target->facts.scale, ret_width_px, ret_height_px);
}

uint64_t cost_held_bytes(const network *target, const probe_info *info, const admit_work *work) {
    int32_t width_px, height_px;
    cost_out_size(target, info, work, &width_px, &height_px);
    uint64_t in_pixels = (uint64_t)info->width_px * (uint64_t)info->height_px;
    uint64_t out_pixels = (uint64_t)width_px * (uint64_t)height_px;
    uint64_t held = work->decoder_bytes + out_pixels * work->writer_pixel_bytes;
    uint64_t full_pixels = in_pixels * target->facts.scale * target->facts.scale;
    if (work->is_animation)
        held += in_pixels * CANVASES_IN_BYTES + full_pixels * CANVASES_FULL_BYTES + KEPT_BYTES +
                (out_pixels != full_pixels ? out_pixels * CANVASES_SIZED_BYTES : 0);
    return held;
}

void cost_predict(const network *target, const probe_info *info, admit_work *work) {
    const ipc_ready *facts = &target->facts;
    uint64_t width_px = upright_width_px(info), pixels, edges = 0;
    if (work->shrink_px) {
        width_px = work->shrink_px;
        pixels = estimate_pixels(work->shrink_px, work->shrink_px);
    } else {
        pixels = estimate_pixels((uint64_t)info->width_px, (uint64_t)info->height_px);
    }
    if (work->tile_px) {
        uint64_t core_px = work->tile_px - 2 * CHEAPER_EDGE_ROWS;
        edges = edge_bytes(target, info, width_px);
        width_px = width_px < work->tile_px ? width_px : work->tile_px;
        pixels =
            pixels / (core_px * core_px) * ((uint64_t)work->tile_px * work->tile_px) + pixels % (core_px * core_px);
    }
    work->bytes = facts->base_bytes + facts->column_bytes * estimate_side_px(width_px) + edges +
                  cost_held_bytes(target, info, work);
    if (work->is_animation && pixels < info->frame_pixels)
        pixels = info->frame_pixels;
    work->us = estimate_us(&target->time, pixels);
    if (work->is_animation)
        work->us += (uint64_t)info->frames * (uint64_t)target->time.fixed_us;
    work->least_us = estimate_least_us(&target->time, pixels);
}
