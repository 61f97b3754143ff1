/* SPDX-License-Identifier: Apache-2.0
 * engine/self_test.c - compare a device with the CPU on a small picture. */
#include "engine/self_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"

#define WIDTH_PX 21 /* three windows, the last one in part */
#define HEIGHT_PX 19
#define MAX_DIFFERENCE 5e-4      /* an eighth of a level of 8 bits */
#define MAX_DIFFERENCE_FP16 8e-3 /* two levels */

typedef struct picture {
    float *values;
    size_t row_floats;
} picture;

static swin2sr_status keep_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    picture *to = context;
    for (int32_t i = 0; i < n; i++) {
        const float *row = (const float *)(const void *)((const char *)rows + (size_t)i * stride_bytes);
        for (size_t j = 0; j < to->row_floats; j++)
            to->values[(size_t)(y + i) * to->row_floats + j] = row[j];
    }
    return SWIN2SR_OK;
}

/* Waves and a little noise: no value is repeated. */
static void make_row(uint8_t *row, int32_t y, int32_t channels) {
    for (int32_t i = 0; i < WIDTH_PX * channels; i++) {
        uint32_t noise = ((uint32_t)(y * 977 + i) * 2654435761u) >> 27;
        row[i] = (uint8_t)(108.0 + 70.0 * sin(0.7 * y + 0.21 * i) + noise);
    }
}

static swin2sr_status enlarge(const swin2sr__packed *packed, swin2sr_threads *threads, picture *to) {
    int32_t channels = packed->network.config.channels, latency_rows;
    bool is_grey = channels == 1;
    uint8_t row[WIDTH_PX * 3];
    swin2sr__engine *engine = NULL;
    swin2sr__engine_options options = {.width_px = WIDTH_PX,
                                       .height_px = HEIGHT_PX,
                                       .rows = 1,
                                       .threads = swin2sr__threads_count(threads),
                                       .input_pixel = is_grey ? SWIN2SR_PIXEL_GREY8 : SWIN2SR_PIXEL_RGB8,
                                       .output_pixel = is_grey ? SWIN2SR_PIXEL_GREYF32 : SWIN2SR_PIXEL_RGBF32,
                                       .on_rows = keep_rows,
                                       .rows_context = to};
    swin2sr__engine_bytes bytes = packed->device->measure(packed, &options, &latency_rows);
    swin2sr_status status = swin2sr__engine_open(packed, threads, bytes, &engine);
    if (status == SWIN2SR_OK)
        status = swin2sr__engine_begin(engine, &options);
    for (int32_t y = 0; y < HEIGHT_PX && status == SWIN2SR_OK; y++) {
        make_row(row, y, channels);
        status = swin2sr__engine_push(engine, row, sizeof row, 1);
    }
    if (engine)
        packed->device->close(engine);
    return status;
}

/* INFINITY where a value is not finite. Not a chain of ?:, which gcc 12 fails to compile for Arm at -O3. */
static double largest_difference(const float *values, const float *reference, size_t count) {
    double most = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            return INFINITY;
        most = fmax(most, fabs((double)values[i] - (double)reference[i]));
    }
    return most;
}

swin2sr_status swin2sr__engine_self_test(const swin2sr__packed *packed, const swin2sr__packed *reference,
                                         swin2sr_error *reterr) {
    int32_t scale = packed->network.config.scale;
    size_t row_floats = (size_t)(WIDTH_PX * scale * packed->network.config.channels);
    size_t count = row_floats * (size_t)(HEIGHT_PX * scale);
    picture pictures[2] = {{calloc(count, sizeof(float)), row_floats}, {calloc(count, sizeof(float)), row_floats}};
    swin2sr_threads *threads = NULL;
    double allowed = packed->precision == SWIN2SR_PRECISION_FP16 ? MAX_DIFFERENCE_FP16 : MAX_DIFFERENCE;
    swin2sr_status status = pictures[0].values && pictures[1].values ? SWIN2SR_OK : SWIN2SR_NOMEM;
    if (status == SWIN2SR_OK)
        status = swin2sr__threads_start(1, pthread_create, &threads);
    if (status == SWIN2SR_OK)
        status = enlarge(reference, threads, &pictures[1]);
    if (status != SWIN2SR_OK) {
        swin2sr__error_set(reterr, status, "no memory for a self-test");
    } else if ((status = enlarge(packed, threads, &pictures[0])) != SWIN2SR_OK) {
        status = swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "%.100s fails its self-test: %s", packed->device_name,
                                    swin2sr_status_name(status));
    } else {
        double most = largest_difference(pictures[0].values, pictures[1].values, count);
        if (most > allowed)
            status = swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED,
                                        "%.100s fails its self-test: it differs from the CPU by %.2e, allowed are %.0e",
                                        packed->device_name, most, allowed);
    }
    swin2sr_threads_free(threads);
    free(pictures[0].values);
    free(pictures[1].values);
    return status;
}
