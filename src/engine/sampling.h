/* SPDX-License-Identifier: Apache-2.0
 * engine/sampling.h - which pixels padding repeats, and which ones bicubic interpolation reads. */
#pragma once

#include "engine/schedule.h"

/* The source of pixel i >= n of a side of n pixels that is padded. Symmetric padding repeats the edge. */
int32_t swin2sr__pad_source(int32_t i, int32_t n, swin2sr_pad pad);

/* The four pixels around the source position of output pixel i, with the edge repeated, and their weights (a = -0.75). */
void swin2sr__cubic_taps(const swin2sr__side *side, int32_t scale, int32_t i, int32_t pixels[4], float weights[4]);
