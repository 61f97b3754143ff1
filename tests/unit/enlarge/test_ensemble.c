/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/enlarge/test_ensemble.c - the mean of eight turns: it turns with the picture, it is what eight runs give,
 * and it is refused with a number where it does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

#include "enlarge/ensemble.h"

#define W 13
#define H 9
#define S 4

static swin2sr_model *model;

static int open_model(void **state) {
    return swin2sr_model_open_default(NULL, &model, NULL);
}

static int close_model(void **state) {
    swin2sr_model_unref(model);
    return 0;
}

typedef struct output {
    int32_t width_px, rows;
    float samples[W * H * S * S * 3];
} output;

static swin2sr_status keep(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    output *self = context;
    size_t row = (size_t)self->width_px * 3;
    assert_int_equal(y, self->rows);
    for (int32_t i = 0; i < n; i++)
        memcpy(self->samples + (size_t)self->rows++ * row, (const char *)rows + (size_t)i * stride_bytes,
               row * sizeof(float));
    return SWIN2SR_OK;
}

static const swin2sr_options floats = {
    .threads = 1, .pad = SWIN2SR_PAD_AROUND, .input_pixel = SWIN2SR_PIXEL_RGBF32, .output_pixel = SWIN2SR_PIXEL_RGBF32};

static void draw(float *rows) {
    for (int i = 0; i < W * H * 3; i++)
        rows[i] = (float)(i * 37 % 101) / 101.0f;
}

static void run_ensemble(const float *rows, int32_t width, int32_t height, output *ret_output) {
    ensemble *self = NULL;
    *ret_output = (output){.width_px = width * S};
    assert_int_equal(ensemble_open(model, &floats, width, height, keep, ret_output, &self, NULL), SWIN2SR_OK);
    for (int32_t y = 0; y < height; y++)
        assert_int_equal(ensemble_push(self, rows + (size_t)(y * width * 3), (size_t)width * 3 * sizeof(float), 1),
                         SWIN2SR_OK);
    assert_int_equal(ret_output->rows, height * S);
    assert_int_not_equal(ensemble_push(self, rows, 0, 1), SWIN2SR_OK);
    ensemble_close(self);
}

/* Turned by a quarter: x and y swapped, then mirrored across. */
static void quarter(const float *from, int32_t width, int32_t height, float *to) {
    for (int32_t y = 0; y < width; y++)
        for (int32_t x = 0; x < height; x++)
            memcpy(to + (y * height + x) * 3, from + ((height - 1 - x) * width + y) * 3, 3 * sizeof(float));
}

static void it_turns_with_the_picture(void **state) {
    float rows[W * H * 3], turned[W * H * 3];
    static output upright, sideways;
    static float expected[W * H * S * S * 3];
    draw(rows);
    quarter(rows, W, H, turned);
    run_ensemble(rows, W, H, &upright);
    run_ensemble(turned, H, W, &sideways);
    quarter(upright.samples, W * S, H * S, expected);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_true(fabsf(expected[i] - sideways.samples[i]) < 1e-5f);
}

/* A picture that is its own mirror image in every turn: eight runs over equal rows, so their mean is near to one run. */
static void equal_runs_change_little(void **state) {
    float rows[H * H * 3];
    static output mean, once;
    for (int32_t y = 0; y < H; y++)
        for (int32_t x = 0; x < H; x++)
            for (int32_t c = 0; c < 3; c++)
                rows[(y * H + x) * 3 + c] = 0.1f + 0.04f * (float)(abs(x - H / 2) + abs(y - H / 2)) + 0.05f * (float)c;
    run_ensemble(rows, H, H, &mean);
    once = (output){.width_px = H * S};
    swin2sr_stream *stream = NULL;
    assert_int_equal(swin2sr_stream_open(model, &floats, H, H, keep, &once, &stream, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_stream_push(stream, rows, H * 3 * sizeof(float), H), SWIN2SR_OK);
    swin2sr_stream_close(stream);
    double off = 0;
    for (int i = 0; i < H * H * S * S * 3; i++)
        off += fabs((double)mean.samples[i] - once.samples[i]) / (H * H * S * S * 3);
    assert_true(off < 0.02); /* the network itself is not symmetrical */
}

static void it_is_refused_with_a_number(void **state) {
    swin2sr_error error = {""};
    swin2sr_plan plan, stream;
    swin2sr_options options = floats;
    assert_int_equal(swin2sr_stream_plan(model, &options, 1000, 800, &stream, NULL), SWIN2SR_OK);
    assert_int_equal(ensemble_plan(model, &options, 1000, 800, &plan, NULL), SWIN2SR_OK);
    assert_true(plan.memory_bytes > 1000 * 800 * (12 + 16 * 12) + stream.memory_bytes / 2);
    assert_true(plan.gmac > 7.9 * stream.gmac && plan.gmac < 8.1 * stream.gmac);
    options.memory_bytes = plan.memory_bytes;
    assert_int_equal(ensemble_plan(model, &options, 1000, 800, &plan, NULL), SWIN2SR_OK);
    options.memory_bytes = 100 << 20;
    assert_int_equal(ensemble_plan(model, &options, 1000, 800, &plan, &error), SWIN2SR_TOO_LARGE);
    assert_string_equal(error.text,
                        "the mean of 8 turns needs 156 MiB of memory for the whole picture, and 100 MiB are "
                        "allowed");
    options.memory_bytes = 157 << 20;
    assert_int_equal(ensemble_plan(model, &options, 1000, 800, &plan, &error), SWIN2SR_TOO_LARGE);
    assert_non_null(strstr(error.text, "too little for the network"));
    ensemble *self = NULL;
    options.memory_bytes = 0;
    assert_int_equal(ensemble_open(model, &options, 60000, 60000, keep, NULL, &self, &error), SWIN2SR_TOO_LARGE);
    assert_non_null(strstr(error.text, "MiB are free"));
    assert_null(self);
}

static bool never(void *context, double done) {
    return ++*(int *)context < 3;
}

static void it_can_be_cancelled(void **state) {
    float rows[W * H * 3];
    int calls = 0;
    ensemble *self = NULL;
    swin2sr_options options = floats;
    options.on_progress = never;
    options.progress_context = &calls;
    draw(rows);
    assert_int_equal(ensemble_open(model, &options, W, H, keep, NULL, &self, NULL), SWIN2SR_OK);
    assert_int_equal(ensemble_push(self, rows, W * 3 * sizeof(float), H), SWIN2SR_CANCELLED);
    ensemble_close(self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_turns_with_the_picture),
        cmocka_unit_test(equal_runs_change_little),
        cmocka_unit_test(it_is_refused_with_a_number),
        cmocka_unit_test(it_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
