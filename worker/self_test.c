/* SPDX-License-Identifier: Apache-2.0
 * self_test.c - the self-test of a network, before READY.
 * In: a model.  Out: passed or failed, and the coefficients from which the server predicts time and memory.
 * Kernel levels round differently, so a sample may be off by one (bf16 and int8: by a few). A wrong kernel is off by
 * much more. */
#include "worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

#define SIDE_PX GOLDEN_SIDE_PX

const golden *self_test_find_golden(const swin2sr_model *model) {
    for (size_t i = 0; i < goldens_count; i++)
        if (strcmp(swin2sr_model_get_info(model)->sha256, goldens[i].sha256) == 0)
            return &goldens[i];
    return NULL;
}

/* Fill the test image, of any size and number of channels. Its values do not repeat within a window. */
static void fill(swin2sr_image *image, int32_t channels) {
    for (int32_t y = 0; y < image->height_px; y++) {
        uint8_t *row = (uint8_t *)image->data + (size_t)y * image->stride_bytes;
        for (int32_t x = 0; x < image->width_px; x++)
            for (int32_t c = 0; c < channels; c++)
                row[x * channels + c] = (uint8_t)(37 * x + 59 * y + 83 * c + 7 * x * y);
    }
}

/* Enlarge a test image of this side. */
static swin2sr_status enlarge(swin2sr_model *model, int32_t threads, int32_t side_px, swin2sr_image *ret_out,
                              swin2sr_error *reterr) {
    int32_t channels = swin2sr_model_get_info(model)->channels;
    swin2sr_pixel pixel = channels == 3 ? SWIN2SR_PIXEL_RGB8 : SWIN2SR_PIXEL_GREY8;
    swin2sr_options options = {.threads = threads, .pad = SWIN2SR_PAD_AROUND, .output_pixel = pixel};
    swin2sr_image in;
    swin2sr_status status = swin2sr_image_alloc(side_px, side_px, pixel, &in);
    if (status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, status, "no memory for the self-test");
    fill(&in, channels);
    status = swin2sr_upscale(model, &in, &options, ret_out, reterr);
    swin2sr_image_free(&in);
    return status;
}

/* How far a sample may be off. With int8, a value that rounds the other way changes a whole token; networks of random
 * weights were seen to be off by 5. */
static int allowed(const swin2sr_model *model) {
    static const int levels[SWIN2SR_PRECISION_COUNT] = {[SWIN2SR_PRECISION_FP32] = 1,
                                                        [SWIN2SR_PRECISION_BF16] = 4,
                                                        [SWIN2SR_PRECISION_INT8] = 8,
                                                        [SWIN2SR_PRECISION_FP16] = 2};
    return levels[swin2sr_model_get_info(model)->precision];
}

static swin2sr_status judge(int off, int limit, const char *against, swin2sr_error *reterr) {
    if (off <= limit)
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_INTERNAL,
                              "the self-test failed: the result on this processor is off by %d from %s; %d is allowed",
                              off, against, limit);
}

static int cell_sum(const swin2sr_image *out, int32_t cell) {
    int32_t channel = cell % 3, x = cell / 3 % SIDE_PX * GOLDEN_SCALE, y = cell / 3 / SIDE_PX * GOLDEN_SCALE;
    int sum = 0;
    for (int32_t dy = 0; dy < GOLDEN_SCALE; dy++) {
        const uint8_t *row = (const uint8_t *)out->data + (size_t)(y + dy) * out->stride_bytes;
        for (int32_t dx = 0; dx < GOLDEN_SCALE; dx++)
            sum += row[(x + dx) * 3 + channel];
    }
    return sum;
}

swin2sr_status self_test_golden(swin2sr_model *model, const golden *expected, int32_t threads, swin2sr_error *reterr) {
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    if (info->scale != GOLDEN_SCALE || info->channels != 3)
        return swin2sr__error_set(
            reterr, SWIN2SR_INTERNAL,
            "the self-test failed: the network has another scale or other channels than its golden sums");
    swin2sr_image out;
    swin2sr_status status = enlarge(model, threads, SIDE_PX, &out, reterr);
    if (status != SWIN2SR_OK)
        return status;
    int most = 0;
    for (int32_t cell = 0; cell < GOLDEN_CELLS; cell++) {
        int off = abs(cell_sum(&out, cell) - expected->sums[cell]);
        most = off > most ? off : most;
    }
    swin2sr_image_free(&out);
    return judge(most, allowed(model) * GOLDEN_SCALE * GOLDEN_SCALE, "the golden sums", reterr);
}

static int most_off(const swin2sr_image *one, const swin2sr_image *other) {
    size_t row_bytes = (size_t)one->width_px * swin2sr_pixel_bytes(one->pixel);
    int most = 0;
    for (int32_t y = 0; y < one->height_px; y++) {
        const uint8_t *a = (const uint8_t *)one->data + (size_t)y * one->stride_bytes;
        const uint8_t *b = (const uint8_t *)other->data + (size_t)y * other->stride_bytes;
        for (size_t i = 0; i < row_bytes; i++)
            most = abs(a[i] - b[i]) > most ? abs(a[i] - b[i]) : most;
    }
    return most;
}

swin2sr_status self_test_plain(swin2sr_model *model, swin2sr_model *plain, int32_t threads, swin2sr_error *reterr) {
    swin2sr_image out, expected;
    swin2sr_status status = enlarge(model, threads, SIDE_PX, &out, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = enlarge(plain, threads, SIDE_PX, &expected, reterr);
    if (status == SWIN2SR_OK) {
        bool is_alike = out.width_px == expected.width_px && out.pixel == expected.pixel;
        status = judge(is_alike ? most_off(&out, &expected) : 255, allowed(model), "the plain kernels", reterr);
        swin2sr_image_free(&expected);
    }
    swin2sr_image_free(&out);
    return status;
}

/* ---- what an image costs ---- */

#define WARM_UP_PX 64
#define PATIENCE_US 3000000u /* longest warm-up; a slower network is measured on the test image */
#define SHORT_US 200000u     /* so long a quick network is measured again: other work disturbs a short run most */

static swin2sr_status time_run(swin2sr_model *model, int32_t threads, int32_t side_px, uint64_t *ret_us,
                               swin2sr_error *reterr) {
    swin2sr_image out;
    uint64_t begun_us = swin2sr__clock_us();
    swin2sr_status status = enlarge(model, threads, side_px, &out, reterr);
    if (status != SWIN2SR_OK)
        return status;
    *ret_us = swin2sr__clock_us() - begun_us;
    swin2sr_image_free(&out);
    return SWIN2SR_OK;
}

static swin2sr_status measure_time(swin2sr_model *model, int32_t threads, uint64_t *ret_us_per_megapixel,
                                   swin2sr_error *reterr) {
    const uint64_t margin_px = 2 * (uint64_t)swin2sr_model_get_info(model)->window_px, small = SIDE_PX + margin_px,
                   large = WARM_UP_PX + margin_px, ratio = large * large / (small * small);
    uint64_t us = 0, pixels = small * small;
    swin2sr_status status = time_run(model, threads, SIDE_PX, &us, reterr);
    if (status == SWIN2SR_OK && us * ratio < PATIENCE_US) {
        pixels = large * large;
        us = UINT64_MAX;
        for (uint64_t spent_us = 0, run_us = 0; status == SWIN2SR_OK && spent_us < SHORT_US; spent_us += run_us) {
            status = time_run(model, threads, WARM_UP_PX, &run_us, reterr);
            us = run_us < us ? run_us : us;
        }
    }
    if (status != SWIN2SR_OK)
        return status;
    uint64_t rate = us * 1000000 / pixels;
    *ret_us_per_megapixel = rate < 1 ? 1 : rate < IPC_COST_MAX ? rate : IPC_COST_MAX;
    return SWIN2SR_OK;
}

static swin2sr_status plan_bytes(const swin2sr_model *model, int32_t threads, int32_t width_px, double *ret_bytes,
                                 swin2sr_error *reterr) {
    const int32_t high = 4096; /* greater heights do not change the plan */
    /* as beside a file of 16-bit samples, which needs 2 % more than one of 8 bits */
    swin2sr_pixel pixel = swin2sr_model_get_info(model)->channels == 3 ? SWIN2SR_PIXEL_RGBF32 : SWIN2SR_PIXEL_GREYF32;
    swin2sr_options options = {
        .threads = threads, .pad = SWIN2SR_PAD_AROUND, .input_pixel = pixel, .output_pixel = pixel};
    swin2sr_plan plan;
    swin2sr_status status = swin2sr_stream_plan(model, &options, width_px, high, &plan, reterr);
    if (status == SWIN2SR_OK)
        *ret_bytes = (double)plan.memory_bytes;
    return status;
}

/* Wide images give the slope of the line, because their steps take one row of windows. Steps of narrow images take more
 * rows and need more memory than the line through the wide ones, so the line is raised above all narrow widths. */
static swin2sr_status measure_memory(const swin2sr_model *model, int32_t threads, ipc_ready *ready,
                                     swin2sr_error *reterr) {
    const int32_t wide = 4096 + 8, wider = 8192 + 8, narrow = 512;
    double low, high, base = 0;
    swin2sr_status status = plan_bytes(model, threads, wide, &low, reterr);
    if (status == SWIN2SR_OK)
        status = plan_bytes(model, threads, wider, &high, reterr);
    if (status != SWIN2SR_OK)
        return status;
    double slope = ceil((high - low) / (wider - wide));
    for (int32_t width = SIDE_PX; width <= narrow; width += SIDE_PX) {
        double bytes;
        status = plan_bytes(model, threads, width, &bytes, reterr);
        if (status != SWIN2SR_OK)
            return status;
        base = fmax(base, bytes - slope * width);
    }
    base = fmax(base, high - slope * wider);
    if (slope < 0 || base > (double)IPC_COST_MAX || slope > (double)IPC_COST_MAX)
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "the self-test failed: the memory plan makes no sense");
    ready->base_bytes = (uint64_t)base;
    ready->column_bytes = (uint64_t)slope;
    return SWIN2SR_OK;
}

swin2sr_status self_test_measure(swin2sr_model *model, int32_t threads, ipc_ready *ready, swin2sr_error *reterr) {
    swin2sr_status status = measure_memory(model, threads, ready, reterr);
    return status == SWIN2SR_OK ? measure_time(model, threads, &ready->us_per_megapixel, reterr) : status;
}
