/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/rings.c - where every ring of an image lies.
 * The arenas only count: offsets in the device's buffer and in the host's. */
#include "base/checked_math.h"
#include "base/memory.h"
#include "engine/vulkan/program.h"
#include <swin2sr/types.h>

typedef struct layout {
    swin2sr__arena device, host;
    size_t range_bytes;
    bool is_half; /* inputs of products */
    bool is_too_large;
} layout;

typedef enum place {
    ON_HOST,
    FLOATS,
    PRODUCTS /* inputs of products */
} place;

static swin2sr__vk_ring lay(layout *to, place where, int32_t rows, int32_t channels, int32_t width, int32_t height) {
    bool is_host = where == ON_HOST, is_half = where == PRODUCTS && to->is_half;
    swin2sr__arena *arena = is_host ? &to->host : &to->device;
    swin2sr__vk_ring ring = {arena->used, 0, is_host, is_half, swin2sr__max(rows, 1), channels, width, height};
    size_t row_bytes = (size_t)channels * (size_t)width * (is_half ? sizeof(uint16_t) : sizeof(float)), bytes = 0;
    if (!swin2sr__size_mul(row_bytes, (size_t)ring.rows, &bytes) || bytes > to->range_bytes)
        to->is_too_large = true;
    ring.bytes = bytes;
    swin2sr__arena_take(arena, (bytes + SWIN2SR__VK_ALIGN - 1) / SWIN2SR__VK_ALIGN, SWIN2SR__VK_ALIGN);
    return ring;
}

/* Another view of a ring's memory. */
static swin2sr__vk_ring with_channels(swin2sr__vk_ring ring, int32_t channels) {
    ring.bytes = ring.bytes / (size_t)ring.channels * (size_t)channels;
    ring.channels = channels;
    return ring;
}

/* Packed rows of whole words: `width` is the words of a row. */
static swin2sr__vk_ring lay_pixels(layout *to, int32_t rows, int32_t width, int32_t height, swin2sr_pixel pixel) {
    int32_t words = (int32_t)(((size_t)width * swin2sr_pixel_bytes(pixel) + 3) / 4);
    return lay(to, ON_HOST, rows, 1, words, height);
}

static void lay_head(swin2sr__vk_engine *engine, layout *to, const swin2sr__ring_rows *rows) {
    const swin2sr__network *network = &engine->network->packed.network;
    swin2sr__vk_rings *rings = &engine->rings;
    int32_t last = network->stages_count - 1, scale = 1, channels = network->config.channels;
    int32_t out_width = engine->options.width_px * network->config.scale;
    int32_t out_height = engine->options.height_px * network->config.scale;
    bool has_aux = swin2sr__network_has_aux(network);
    for (int32_t i = 0; i <= last; i++) {
        bool is_cropped = has_aux && i == last; /* before the last convolution */
        rings->stages[i] = lay(to, PRODUCTS, rows->stages[i], network->stages[i].in_channels,
                               is_cropped ? out_width : engine->W * scale, is_cropped ? out_height : engine->H * scale);
        scale *= network->stages[i].shuffle;
    }
    rings->stages[last + 1] = lay(to, FLOATS, rows->output, channels, out_width, out_height);
    rings->output = lay_pixels(to, rows->output, out_width, out_height, engine->options.output_pixel);
    if (has_aux) {
        rings->bicubic = lay(to, FLOATS, rows->bicubic, channels, out_width, out_height);
        rings->cubic = lay(to, PRODUCTS, rows->cubic, network->config.features, out_width, out_height);
        rings->aux = lay_pixels(to, rows->aux, engine->options.width_px, engine->options.height_px,
                                engine->options.output_pixel);
        rings->tables = lay(to, ON_HOST, out_width + out_height, 1, 8, 1);
    }
}

swin2sr__engine_bytes swin2sr__vk_rings_lay_out(swin2sr__vk_engine *engine, const swin2sr__ring_rows *rows) {
    const swin2sr__network *network = &engine->network->packed.network;
    const swin2sr__config *config = &network->config;
    swin2sr__vk_rings *rings = &engine->rings;
    layout to = {.range_bytes = engine->network->gpu.range_bytes, .is_half = engine->network->is_half};
    int32_t C = config->dim, H = engine->H, W = engine->W, narrow = swin2sr__network_narrow(network);
    /* Padding rows mirror up to a window and one row more; the rows that they mirror must still be in the ring. */
    rings->input = lay(&to, ON_HOST, rows->input + 2 * config->window_px, config->channels, W, H);
    for (int32_t g = 0; g < config->groups; g++) {
        rings->features[g] = lay(&to, FLOATS, rows->features[g], C, W, H);
        rings->conv_in[g] = lay(&to, PRODUCTS, rows->conv_in[g], C, W, H);
        if (narrow)
            rings->narrow[g] = lay(&to, PRODUCTS, rows->narrow[g], narrow, W, H);
        rings->residual[g] = lay(&to, FLOATS, rows->residual[g], C, W, H);
    }
    rings->body = lay(&to, FLOATS, rows->body, C, W, H);
    if (narrow)
        rings->body_narrow = lay(&to, PRODUCTS, rows->body_narrow, narrow, W, H);
    rings->hidden = lay(&to, PRODUCTS, rows->widest, swin2sr__max(config->hidden, C), W, H);
    rings->attended = with_channels(rings->hidden, C);
    rings->narrowed = with_channels(rings->hidden, narrow ? narrow : C);
    rings->hidden = with_channels(rings->hidden, config->hidden);
    rings->y = lay(&to, FLOATS, rows->widest, C, W, H);
    lay_head(engine, &to, rows);
    bool is_possible = !to.is_too_large && !to.device.is_overflown && !to.host.is_overflown;
    return (swin2sr__engine_bytes){is_possible ? to.device.used : SIZE_MAX, to.host.used};
}
