/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/input.c - convert pixels to the network's range and pad them to whole windows (inside stage 6 of 9).
 * In: one row of pixels.  Out: one row of the input ring: (value - mean) * img_range, [channels][W]. */
#include <string.h>

#include "engine/cpu/state.h"
#include "engine/sampling.h"

/* Store the new row as words, too, if the kernels use words. A pixel is the sum of two bf16 values, which keeps 16 bits
 * of it: the long skip carries the picture itself. */
static void split_row(swin2sr__cpu_engine *engine) {
    for (int32_t c = 0; c < engine->input_words.channels; c++) {
        const float *row = swin2sr__row_at(&engine->input, engine->base.available, c);
        float *words = swin2sr__row_at(&engine->input_words, engine->base.available, c);
        for (int32_t x = 0; x < engine->W; x++) {
            uint32_t high = swin2sr__bf16_bits(row[x]), bits = high << 16;
            float value;
            memcpy(&value, &bits, sizeof value);
            uint32_t word = swin2sr__bf16_bits(row[x] - value) << 16 | high;
            memcpy(words + x, &word, sizeof word);
        }
    }
}

void swin2sr__cpu_take_row(swin2sr__cpu_engine *engine, const void *pixels) {
    int32_t channels = engine->network->config.channels, W = engine->options.width_px;
    bool is_float =
        engine->options.input_pixel == SWIN2SR_PIXEL_RGBF32 || engine->options.input_pixel == SWIN2SR_PIXEL_GREYF32;
    float range = engine->network->config.img_range;
    for (int32_t c = 0; c < channels; c++) {
        float *row = swin2sr__row_at(&engine->input, engine->base.available, c), mean = engine->network->mean[c];
        for (int32_t x = 0; x < W; x++) {
            float value = is_float ? ((const float *)pixels)[x * channels + c]
                                   : (float)((const uint8_t *)pixels)[x * channels + c] / 255.0f;
            row[x] = (value - mean) * range;
        }
        for (int32_t x = W; x < engine->W; x++)
            row[x] = row[swin2sr__pad_source(x, W, engine->options.pad)];
    }
    split_row(engine);
}

void swin2sr__cpu_pad_row(swin2sr__cpu_engine *engine) {
    int32_t source = swin2sr__pad_source(engine->base.available, engine->options.height_px, engine->options.pad);
    for (int32_t c = 0; c < engine->input.channels; c++)
        memcpy(swin2sr__row_at(&engine->input, engine->base.available, c), swin2sr__row_at(&engine->input, source, c),
               (size_t)engine->W * sizeof(float));
    split_row(engine);
}
