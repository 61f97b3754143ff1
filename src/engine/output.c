/* SPDX-License-Identifier: Apache-2.0
 * engine/output.c - the last stage's values as pixels (inside stage 6 of 9).
 * In: values [channels * r * r][64] of one low-resolution row.  Out: r rows of the output buffer, cropped to the
 * image, interleaved; 8-bit values are clipped and rounded, floats are neither. */
#include "engine/state.h"

static inline uint8_t to_byte(float value) {
    float scaled = value * 255.0f + 0.5f;
    return scaled <= 0.0f ? 0 : scaled >= 255.0f ? 255 : (uint8_t)scaled; /* NaN gives 0 by the cast's branch order */
}

void engine_put_pixels(swin2sr__engine *engine, const float *values, int32_t y, int32_t x, int32_t columns) {
    const swin2sr__network *network = engine->network;
    int32_t channels = network->config.channels, S = network->config.scale;
    int32_t r = network->stages[network->stages_count - 1].shuffle;
    int32_t width = engine->options.width_px * S, end = r * (x + columns) < width ? r * (x + columns) : width;
    bool is_float =
        engine->options.output_pixel == SWIN2SR_PIXEL_RGBF32 || engine->options.output_pixel == SWIN2SR_PIXEL_GREYF32;
    float factor = 1.0f / network->config.img_range;
    for (int32_t dy = 0; dy < r; dy++) {
        unsigned char *row = engine->output + (size_t)((r * y + dy) % engine->output_rows) * engine->output_stride;
        for (int32_t c = 0; c < channels; c++) {
            const float *from = values + (c * r + dy) * r * LANES;
            float mean = network->mean[c];
            for (int32_t i = r * x; i < end; i++) {
                int32_t t = i - r * x;
                float value = from[t % r * LANES + t / r] * factor + mean;
                if (is_float)
                    ((float *)(void *)row)[i * channels + c] = value;
                else
                    row[i * channels + c] = to_byte(value);
            }
        }
    }
}
