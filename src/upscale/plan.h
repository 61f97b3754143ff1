/* SPDX-License-Identifier: Apache-2.0
 * upscale/plan.h - how an image is done: whole, in strips or in tiles (stage 5 of 9).
 * In: model, options, size.  Out: the engine's options for each piece, the grid of pieces, exact memory. */
#ifndef SWIN2SR_UPSCALE_PLAN_H
#define SWIN2SR_UPSCALE_PLAN_H

#include "engine/engine.h"
#include "engine/schedule.h"
#include <swin2sr/stream.h>

/* One side of the image cut into pieces. Piece i owns the pixels from edge(i) to edge(i + 1). */
typedef struct swin2sr__cut {
    int32_t side_px; /* of the image */
    int32_t core_px; /* of every piece but the last, which takes up to an overlap more; multiple of the window */
    int32_t count;
    int32_t overlap_px;
    int32_t fade_px; /* cross-faded on both sides of an edge; overlap - fade is the halo that is thrown away */
} swin2sr__cut;

typedef struct swin2sr__layout {
    swin2sr__engine_options engine; /* of the whole image; size and callbacks are set for each piece */
    swin2sr__cut columns, bands;
    size_t engine_bytes; /* the largest piece's */
    swin2sr_plan plan;
} swin2sr__layout;

/* errors: _INVALID, _TOO_LARGE. */
swin2sr_status swin2sr__plan_layout(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                    int32_t height_px, swin2sr__layout *ret_layout, swin2sr_error *reterr);

/* First pixel that piece i owns; i = count gives the side. */
static inline int32_t swin2sr__cut_edge(const swin2sr__cut *cut, int32_t i) {
    return i == cut->count ? cut->side_px : i * cut->core_px;
}

/* Pixels piece i has to compute, [from, to): its own and the overlap. */
static inline swin2sr__span swin2sr__cut_region(const swin2sr__cut *cut, int32_t i) {
    int32_t from = swin2sr__cut_edge(cut, i) - cut->overlap_px, to = swin2sr__cut_edge(cut, i + 1) + cut->overlap_px;
    return (swin2sr__span){from < 0 ? 0 : from, to > cut->side_px ? cut->side_px : to};
}

/* Pixels piece i contributes to: its own and the faded ones of its inner edges. */
static inline swin2sr__span swin2sr__cut_share(const swin2sr__cut *cut, int32_t i) {
    return (swin2sr__span){i ? swin2sr__cut_edge(cut, i) - cut->fade_px : 0,
                           i + 1 < cut->count ? swin2sr__cut_edge(cut, i + 1) + cut->fade_px : cut->side_px};
}

#endif
