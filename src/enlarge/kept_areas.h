/* SPDX-License-Identifier: Apache-2.0
 * enlarge/kept_areas.h - areas of an animation that were enlarged before (stage 5 of 9, plan).
 * An entry is the pixels of an area with its context, and what became of the area. Found by comparing all pixels. The
 * oldest entries go when there is no room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enlarge/changes.h"

#define KEPT_AREAS_BYTES ((size_t)64 << 20)
#define KEPT_AREAS_MAX 1024

typedef struct kept_area {
    changes_area area;
    size_t input_bytes, output_bytes;
    uint8_t *bytes; /* input, then output */
} kept_area;

typedef struct kept_areas {
    kept_area entries[KEPT_AREAS_MAX]; /* a ring: the oldest is at first */
    size_t first, count, bytes;
} kept_areas;

/* What became of this area with these pixels.  returns NULL: it is not kept. */
const uint8_t *kept_areas_find(const kept_areas *self, changes_area area, const uint8_t *input, size_t input_bytes);

/* Keep a copy. Without memory or room, nothing is kept. */
void kept_areas_add(kept_areas *self, changes_area area, const uint8_t *input, size_t input_bytes,
                    const uint8_t *output, size_t output_bytes);
void kept_areas_done(kept_areas *self);
