/* SPDX-License-Identifier: Apache-2.0
 * engine/output.c - the last stage's values as pixels (inside stage 6 of 9).
 * In: values [channels * r * r][64] of one low-resolution row.  Out: r rows of the output buffer, cropped to the
 * image, interleaved; 8-bit values are clipped and rounded, floats are neither. */
#include "engine/state.h"

static void put_floats(const swin2sr__network *network, float *pixels, const float *values, int32_t r, int32_t count) {
    int32_t channels = network->config.channels;
    for (int32_t i = 0; i < count; i++) {
        for (int32_t c = 0; c < channels; c++)
            pixels[i * channels + c] =
                values[(c * r * r + i % r) * LANES + i / r] / network->config.img_range + network->mean[c];
    }
}

void swin2sr__engine_put_pixels(swin2sr__engine *engine, const float *values, int32_t y, int32_t x, int32_t columns) {
    const swin2sr__network *network = engine->network;
    int32_t channels = network->config.channels, r = network->stages[network->stages_count - 1].shuffle;
    int32_t width = engine->options.width_px * network->config.scale, count = width - r * x;
    bool is_float =
        engine->options.output_pixel == SWIN2SR_PIXEL_RGBF32 || engine->options.output_pixel == SWIN2SR_PIXEL_GREYF32;
    if (count <= 0)
        return;
    count = count < r * columns ? count : r * columns;
    for (int32_t dy = 0; dy < r; dy++) {
        unsigned char *row = engine->output + (size_t)((r * y + dy) % engine->output_rows) * engine->output_stride;
        const float *from = values + dy * r * LANES;
        if (is_float)
            put_floats(network, (float *)(void *)row + r * x * channels, from, r, count);
        else
            engine->kernels->put_bytes(row + r * x * channels, from, r, channels, count,
                                       1.0f / network->config.img_range, network->mean);
    }
}
