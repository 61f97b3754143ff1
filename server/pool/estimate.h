/* SPDX-License-Identifier: Apache-2.0
 * pool/estimate.h - how long a worker will take for an image, learned from finished images (stage 3 of 9, dispatch).
 * An image takes a fixed time and a time per pixel, which are learned separately. A measurement is clipped to four
 * times the expected value, so that neither thousands of tiny images nor a worker that was stopped for a while make
 * large images look impossible. Pixels are those of the input with both sides rounded up to multiples of 8. */
#pragma once

#include <stdint.h>

#include "ipc/ipc.h"

typedef struct estimate {
    double us_per_pixel, fixed_us; /* running averages; us_per_pixel 0: nothing is known */
    double least_us_per_pixel;     /* the fastest seen: the speed of the machine without other load */
} estimate;

/* A side rounded up to a multiple of 8; and the pixels that the network works on: such sides, with the margin that is
 * mirrored around the image. Sides are at least 1. */
uint64_t estimate_side_px(uint64_t side_px);
uint64_t estimate_pixels(uint64_t width_px, uint64_t height_px);

/* The pixels that the network has seen: of the image, or of the square that it was reduced to. */
uint64_t estimate_done_pixels(const ipc_done *done, uint32_t shrink_px);

/* Take the speed measured in a worker's self-test. The first one sets the average, later ones only the fastest. */
void estimate_take_self_test(estimate *self, uint64_t us_per_megapixel);

/* An image of so many pixels took run_us. */
void estimate_learn(estimate *self, uint64_t pixels, uint64_t run_us);

uint64_t estimate_us(const estimate *self, uint64_t pixels);       /* the expected time */
uint64_t estimate_least_us(const estimate *self, uint64_t pixels); /* a lower bound of the time */
