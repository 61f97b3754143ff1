/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/input.c - pixels in the network's range, padded to whole windows, in memory that the device reads.
 * In: one row of pixels.  Out: one row of the input ring: (value - mean) * img_range, [channels][W]. */
#include <string.h>

#include "engine/sampling.h"
#include "engine/vulkan/program.h"

static float *row_at(const swin2sr__vk_engine *engine, int32_t y) {
    const swin2sr__vk_ring *ring = &engine->rings.input;
    size_t floats = (size_t)(y % ring->rows) * (size_t)ring->channels * (size_t)ring->width;
    return (float *)(void *)(engine->host.mapped + ring->offset) + floats;
}

void swin2sr__vk_take_row(swin2sr__vk_engine *engine, const void *pixels) {
    const swin2sr__network *network = &engine->network->packed.network;
    int32_t channels = network->config.channels, width = engine->options.width_px;
    bool is_float =
        engine->options.input_pixel == SWIN2SR_PIXEL_RGBF32 || engine->options.input_pixel == SWIN2SR_PIXEL_GREYF32;
    for (int32_t c = 0; c < channels; c++) {
        float *row = row_at(engine, engine->base.available) + (size_t)c * (size_t)engine->W;
        for (int32_t x = 0; x < width; x++) {
            float value = is_float ? ((const float *)pixels)[x * channels + c]
                                   : (float)((const uint8_t *)pixels)[x * channels + c] / 255.0f;
            row[x] = (value - network->mean[c]) * network->config.img_range;
        }
        for (int32_t x = width; x < engine->W; x++)
            row[x] = row[swin2sr__pad_source(x, width, engine->options.pad)];
    }
}

void swin2sr__vk_pad_row(swin2sr__vk_engine *engine) {
    int32_t source = swin2sr__pad_source(engine->base.available, engine->options.height_px, engine->options.pad);
    memcpy(row_at(engine, engine->base.available), row_at(engine, source),
           (size_t)engine->rings.input.channels * (size_t)engine->W * sizeof(float));
}

static void fill_table(int32_t *table, const swin2sr__side *side, int32_t scale, int32_t count) {
    for (int32_t i = 0; i < count; i++, table += 8) {
        float weights[4];
        swin2sr__cubic_taps(side, scale, i, table, weights);
        memcpy(table + 4, weights, sizeof weights);
    }
}

void swin2sr__vk_fill_tables(swin2sr__vk_engine *engine) {
    int32_t scale = engine->network->packed.network.config.scale, columns = engine->rings.bicubic.width;
    int32_t *table = (int32_t *)(void *)(engine->host.mapped + engine->rings.tables.offset);
    fill_table(table, &engine->columns, scale, columns);
    fill_table(table + 8 * columns, &engine->rows, scale, engine->rings.bicubic.height);
}
