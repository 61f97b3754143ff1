/* SPDX-License-Identifier: Apache-2.0
 * pool/estimate.c - how long a worker will take for an image (stage 3 of 9, dispatch).
 * In: self-tests and finished jobs.  Out: microseconds. */
#include "pool/estimate.h"

#include "format/note.h"

#define SMALL_PIXELS 4096u         /* smaller images take little more than the fixed time */
#define RATE_MEMORY_PIXELS 250000u /* weight of the average against the pixels of a new measurement */
#define FIXED_MEMORY 16            /* weight of the average against one new measurement */
#define MOST_TIMES 4               /* a measurement is clipped to this many times the expected value */
#define LEAST_FIXED_US 1000.0
#define MULTIPLE_PX 8
#define MARGIN_PX 8 /* mirrored around the image, on each side */

uint64_t estimate_side_px(uint64_t side_px) {
    return (side_px + MULTIPLE_PX - 1) / MULTIPLE_PX * MULTIPLE_PX;
}

uint64_t estimate_pixels(uint64_t width_px, uint64_t height_px) {
    return (estimate_side_px(width_px) + 2 * MARGIN_PX) * (estimate_side_px(height_px) + 2 * MARGIN_PX);
}

uint64_t estimate_done_pixels(const ipc_done *done, uint32_t shrink_px) {
    return done->notes & NOTE_SHRUNK ? estimate_pixels(shrink_px, shrink_px)
                                     : estimate_pixels(done->in_width_px, done->in_height_px);
}

static double clipped(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

void estimate_take_self_test(estimate *self, uint64_t us_per_megapixel) {
    double rate = (double)us_per_megapixel / 1e6;
    if (self->us_per_pixel == 0)
        *self = (estimate){.us_per_pixel = rate, .fixed_us = LEAST_FIXED_US, .least_us_per_pixel = rate};
    if (rate < self->least_us_per_pixel)
        self->least_us_per_pixel = rate;
}

void estimate_learn(estimate *self, uint64_t pixels, uint64_t run_us) {
    double count = (double)pixels, run = (double)run_us, rate = self->us_per_pixel;
    if (pixels < SMALL_PIXELS) {
        double fixed = clipped(run - rate * count, LEAST_FIXED_US, MOST_TIMES * self->fixed_us);
        self->fixed_us += (fixed - self->fixed_us) / FIXED_MEMORY;
        return;
    }
    double seen = clipped((run - self->fixed_us) / count, rate / MOST_TIMES, rate * MOST_TIMES);
    self->us_per_pixel += (seen - rate) * count / (RATE_MEMORY_PIXELS + count);
    if (seen < self->least_us_per_pixel)
        self->least_us_per_pixel = seen;
}

/* At most 2^40 us per megapixel and less than 2^34 pixels: the product fits 64 bits. */
uint64_t estimate_us(const estimate *self, uint64_t pixels) {
    return (uint64_t)(self->fixed_us + self->us_per_pixel * (double)pixels);
}

uint64_t estimate_least_us(const estimate *self, uint64_t pixels) {
    return (uint64_t)(self->least_us_per_pixel * (double)pixels);
}
