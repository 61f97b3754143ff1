/* SPDX-License-Identifier: Apache-2.0
 * enlarge/changes.h - where two frames of an animation differ (stage 5 of 9, plan). Pure. */
#pragma once

#include <stdint.h>

#define CHANGES_MAX 32

typedef struct changes_area {
    int32_t x, y, width_px, height_px;
} changes_area;

/* Find rectangles that hold all pixels that differ, and are apart from each other by more than a block of 16 pixels.
 * before  The canvas before, RGBA; NULL: there is none, and all of now is new.
 * ret_areas  [CHANGES_MAX].
 * returns    How many there are; 0: the canvases are equal. If there were more, one that holds them all. */
int32_t changes_find(const uint8_t *before, const uint8_t *now, int32_t width_px, int32_t height_px,
                     changes_area *ret_areas);

/* The smallest area that holds both; one without pixels counts as nothing. */
changes_area changes_join(changes_area a, changes_area b);

/* An area with margin_px more on all sides, as far as the canvas reaches. */
changes_area changes_widen(changes_area area, int32_t margin_px, int32_t width_px, int32_t height_px);
