/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/output.c - the values of the last stage as pixels, and progress (inside stage 6 of 9).
 * In: values [channels * r * r][64] of one low-resolution row.  Out: r rows of an output buffer, cropped to the
 * image and interleaved. 8-bit values are clipped and rounded; floats are neither. */
#include "base/clock.h"
#include "engine/cpu/state.h"

#define PROGRESS_US 20000

static void put_floats(const swin2sr__network *network, float *pixels, const float *values, int32_t r, int32_t count) {
    int32_t channels = network->config.channels;
    for (int32_t i = 0; i < count; i++) {
        for (int32_t c = 0; c < channels; c++)
            pixels[i * channels + c] =
                values[(c * r * r + i % r) * SWIN2SR__LANES + i / r] / network->config.img_range + network->mean[c];
    }
}

void swin2sr__cpu_put_pixels(const swin2sr__cpu_engine *engine, const swin2sr__pixel_ring *to, const float *values,
                             int32_t r, int32_t y, int32_t x, int32_t columns) {
    const swin2sr__network *network = engine->network;
    swin2sr_pixel pixel = engine->options.output_pixel;
    int32_t channels = network->config.channels, count = to->width - r * x;
    bool is_float = pixel == SWIN2SR_PIXEL_RGBF32 || pixel == SWIN2SR_PIXEL_GREYF32;
    if (count <= 0)
        return;
    count = count < r * columns ? count : r * columns;
    for (int32_t dy = 0; dy < r && r * y + dy < to->height; dy++) {
        unsigned char *row = to->data + (size_t)((r * y + dy) % to->rows) * to->stride;
        const float *from = values + dy * r * SWIN2SR__LANES;
        if (is_float)
            put_floats(network, (float *)(void *)row + r * x * channels, from, r, count);
        else
            engine->kernels->put_bytes(row + r * x * channels, from, r, channels, count,
                                       1.0f / network->config.img_range, network->mean);
    }
}

swin2sr_status swin2sr__cpu_emit(const swin2sr__pixel_ring *from, swin2sr__span all, swin2sr_on_rows on_rows,
                                 void *context) {
    int32_t y = all.from, end = all.to < from->height ? all.to : from->height;
    while (y < end) { /* in two pieces if the rows wrap around the end of the buffer */
        int32_t at = y % from->rows, n = end - y;
        n = n < from->rows - at ? n : from->rows - at;
        swin2sr_status status = on_rows(context, y, n, from->data + (size_t)at * from->stride, from->stride);
        if (status != SWIN2SR_OK)
            return status;
        y += n;
    }
    return SWIN2SR_OK;
}

bool swin2sr__cpu_report_progress(swin2sr__cpu_engine *engine) {
    const swin2sr__engine_options *options = &engine->options;
    if (options->on_progress &&
        !options->on_progress(options->progress_context, swin2sr__schedule_progress(&engine->base.schedule)))
        atomic_store(&engine->is_cancelled, true);
    return !atomic_load_explicit(&engine->is_cancelled, memory_order_relaxed);
}

bool swin2sr__cpu_goes_on(swin2sr__cpu_engine *engine, uint32_t thread) {
    if (thread == 0 && engine->options.on_progress) {
        uint64_t now_us = swin2sr__clock_us();
        if (now_us - engine->progress_us >= PROGRESS_US) {
            engine->progress_us = now_us;
            swin2sr__cpu_report_progress(engine);
        }
    }
    return !atomic_load_explicit(&engine->is_cancelled, memory_order_relaxed);
}
