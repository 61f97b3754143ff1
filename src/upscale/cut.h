/* SPDX-License-Identifier: Apache-2.0
 * upscale/cut.h - where an image is cut into strips or tiles, one side at a time (stages 5 and 7 of 9). */
#pragma once

#include "base/span.h"

/* One side of the image, cut into pieces. Piece i owns the pixels from edge(i) to edge(i + 1). */
typedef struct swin2sr__cut {
    int32_t side_px; /* of the image */
    int32_t core_px; /* of every piece but the last, which has up to an overlap more; a multiple of the window */
    int32_t count;
    int32_t overlap_px;
    int32_t fade_px; /* cross-faded on each side of an edge; the rest of the overlap, the halo, is discarded */
} swin2sr__cut;

/* Cut side_px into pieces of core_px; into one piece if it reaches the other edge with its overlap. */
static inline swin2sr__cut swin2sr__cut_side(int32_t side_px, int32_t core_px, int32_t overlap_px) {
    if (side_px <= core_px + overlap_px)
        return (swin2sr__cut){.side_px = side_px, .core_px = side_px, .count = 1};
    return (swin2sr__cut){.side_px = side_px,
                          .core_px = core_px,
                          .count = (side_px - overlap_px + core_px - 1) / core_px,
                          .overlap_px = overlap_px,
                          .fade_px = overlap_px / 4};
}

/* The first pixel that piece i owns; the end of the side for i = count. */
static inline int32_t swin2sr__cut_edge(const swin2sr__cut *cut, int32_t i) {
    return i == cut->count ? cut->side_px : i * cut->core_px;
}

/* The pixels that piece i computes: its own and the overlap. */
static inline swin2sr__span swin2sr__cut_region(const swin2sr__cut *cut, int32_t i) {
    int32_t from = swin2sr__cut_edge(cut, i) - cut->overlap_px, to = swin2sr__cut_edge(cut, i + 1) + cut->overlap_px;
    return (swin2sr__span){from < 0 ? 0 : from, to > cut->side_px ? cut->side_px : to};
}

/* The pixels that piece i contributes to: its own and the cross-faded ones at its inner edges. */
static inline swin2sr__span swin2sr__cut_share(const swin2sr__cut *cut, int32_t i) {
    return (swin2sr__span){i ? swin2sr__cut_edge(cut, i) - cut->fade_px : 0,
                           i + 1 < cut->count ? swin2sr__cut_edge(cut, i + 1) + cut->fade_px : cut->side_px};
}

/* The longest region of any piece, and the longest share. */
static inline int32_t swin2sr__cut_longest(const swin2sr__cut *cut,
                                           swin2sr__span (*part)(const swin2sr__cut *, int32_t)) {
    int32_t longest = 0;
    for (int32_t i = 0; i < cut->count; i++)
        longest = swin2sr__max(longest, part(cut, i).to - part(cut, i).from);
    return longest;
}
