/* SPDX-License-Identifier: Apache-2.0
 * pool/estimate.h - how long a picture will take a worker, learned from those that were done (stage 3 of 9, dispatch).
 * A picture takes a fixed time and a time per pixel. The two are learned apart, and one measurement counts at most four
 * times what was expected, so neither thousands of tiny pictures nor a worker that was stopped make large ones look
 * impossible. Pixels are those of the input with both sides filled up to multiples of 8. */
#pragma once

#include <stdint.h>

typedef struct estimate {
    double us_per_pixel, fixed_us; /* running averages; us_per_pixel 0: nothing is known */
    double least_us_per_pixel;     /* the fastest seen: what the machine can do when it has nothing else to do */
} estimate;

/* A side filled up to a multiple of 8, and the pixels of an input with such sides. Sides are 1.. . */
uint64_t estimate_side_px(uint64_t side_px);
uint64_t estimate_pixels(uint64_t width_px, uint64_t height_px);

/* A worker measured its network in its self-test. The first one sets the average; later ones only show what can be. */
void estimate_take_self_test(estimate *self, uint64_t us_per_megapixel);

/* A picture of so many pixels took run_us. */
void estimate_learn(estimate *self, uint64_t pixels, uint64_t run_us);

uint64_t estimate_us(const estimate *self, uint64_t pixels);       /* what to expect */
uint64_t estimate_least_us(const estimate *self, uint64_t pixels); /* certainly not less */
