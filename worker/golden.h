/* SPDX-License-Identifier: Apache-2.0
 * golden.h - the golden vector of the self-test: what the default network makes of its picture.
 * For each level of the picture, [y][x][channel], the sum of the output's levels over the 4x4 pixels it became. */
#ifndef SWIN2SR_WORKER_GOLDEN_H
#define SWIN2SR_WORKER_GOLDEN_H

#include <stdint.h>

#define GOLDEN_SIDE_PX 8
#define GOLDEN_SCALE 4
#define GOLDEN_CELLS (GOLDEN_SIDE_PX * GOLDEN_SIDE_PX * 3)

extern const char golden_sha256[]; /* of the weight file that these are of */
extern const uint16_t golden_sums[GOLDEN_CELLS];

#endif
