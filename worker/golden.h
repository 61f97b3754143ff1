/* SPDX-License-Identifier: Apache-2.0
 * golden.h - golden vectors of the self-test: what each network inside the program makes of its picture.
 * For each level of the picture, [y][x][channel], the sum of the output's levels over the 4x4 pixels it became. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GOLDEN_SIDE_PX 8
#define GOLDEN_SCALE 4
#define GOLDEN_CELLS (GOLDEN_SIDE_PX * GOLDEN_SIDE_PX * 3)

typedef struct golden {
    const char *sha256; /* of the weight file that the sums are of */
    uint16_t sums[GOLDEN_CELLS];
} golden;

extern const golden goldens[];
extern const size_t goldens_count;
