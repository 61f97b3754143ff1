/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/upscale/test_stream.c - the public C API on the default network: sizes, order of rows, plans, budgets,
 * cancel, misuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <swin2sr/swin2sr.h>

static swin2sr_model *model;

static int open_model(void **state) {
    (void)state;
    return swin2sr_model_open_default(NULL, &model, NULL) == SWIN2SR_OK ? 0 : -1;
}

static int close_model(void **state) {
    (void)state;
    swin2sr_model_unref(model);
    return 0;
}

static swin2sr_image make_picture(int32_t width, int32_t height) {
    swin2sr_image image;
    assert_int_equal(swin2sr_image_alloc(width, height, SWIN2SR_PIXEL_RGB8, &image), SWIN2SR_OK);
    unsigned char *bytes = image.data;
    for (int32_t i = 0; i < width * height * 3; i++)
        bytes[i] = (unsigned char)(i * 37 + i / 7 * 11);
    return image;
}

static void test_model_info(void **state) {
    (void)state;
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    assert_string_equal(info->name, "photo");
    assert_string_equal(info->head, "pixelshuffledirect");
    assert_int_equal(info->scale, 4);
    assert_int_equal(info->parameters, 1024824);
    assert_int_equal(info->blocks, 24);
    assert_int_equal(strlen(info->sha256), 64);
}

static void test_every_small_size(void **state) {
    (void)state;
    static const int32_t sides[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 33};
    enum {
        COUNT = sizeof sides / sizeof sides[0]
    };
    for (int i = 0; i < COUNT * COUNT; i++) {
        swin2sr_image in = make_picture(sides[i % COUNT], sides[i / COUNT]), out = {0}, again = {0};
        swin2sr_options options = {.threads = 1, .rows = 1}, other = {.threads = 2, .rows = 3};
        assert_int_equal(swin2sr_upscale(model, &in, &options, &out, NULL), SWIN2SR_OK);
        assert_int_equal(out.width_px, 4 * in.width_px);
        assert_int_equal(out.height_px, 4 * in.height_px);
        assert_int_equal(swin2sr_upscale(model, &in, &other, &again, NULL), SWIN2SR_OK);
        assert_memory_equal(out.data, again.data, (size_t)out.height_px * out.stride_bytes);
        swin2sr_image_free(&in);
        swin2sr_image_free(&out);
        swin2sr_image_free(&again);
    }
}

typedef struct receiver {
    int32_t next_y;
    int32_t stop_at; /* return _IO from this row on; 0: never */
} receiver;

static swin2sr_status receive(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    receiver *r = context;
    (void)rows;
    assert_int_equal(y, r->next_y);
    assert_true(n > 0);
    assert_true(stride_bytes >= 3);
    r->next_y += n;
    return r->stop_at && r->next_y >= r->stop_at ? SWIN2SR_IO : SWIN2SR_OK;
}

static void test_rows_leave_in_order_while_pushing(void **state) {
    (void)state;
    swin2sr_image in = make_picture(20, 300);
    swin2sr_options options = {.threads = 1, .rows = 1};
    swin2sr_stream *stream = NULL;
    swin2sr_plan plan;
    receiver r = {0};
    assert_int_equal(swin2sr_stream_plan(model, &options, 20, 300, &plan, NULL), SWIN2SR_OK);
    assert_true(plan.latency_rows < 130);
    assert_int_equal(swin2sr_stream_open(model, &options, 20, 300, receive, &r, &stream, NULL), SWIN2SR_OK);
    for (int32_t y = 0; y < 300; y++) {
        assert_int_equal(swin2sr_stream_push(stream, (char *)in.data + (size_t)y * in.stride_bytes, in.stride_bytes, 1),
                         SWIN2SR_OK);
        if (y + 1 == plan.latency_rows)
            assert_true(r.next_y > 0);
        else if (y + 1 < plan.latency_rows)
            assert_int_equal(r.next_y, 0);
    }
    assert_int_equal(r.next_y, 1200);
    assert_int_equal(swin2sr_stream_push(stream, in.data, in.stride_bytes, 1), SWIN2SR_INVALID);
    swin2sr_stream_close(stream);
    swin2sr_image_free(&in);
}

static void test_receiver_stops_the_stream(void **state) {
    (void)state;
    swin2sr_image in = make_picture(16, 200);
    swin2sr_stream *stream = NULL;
    receiver r = {.stop_at = 100};
    assert_int_equal(swin2sr_stream_open(model, NULL, 16, 200, receive, &r, &stream, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_stream_push(stream, in.data, in.stride_bytes, 200), SWIN2SR_IO);
    assert_int_equal(swin2sr_stream_push(stream, in.data, in.stride_bytes, 1), SWIN2SR_IO);
    swin2sr_stream_close(stream);
    swin2sr_image_free(&in);
}

typedef struct watcher {
    double last;
    int calls;
    int cancel_at;
} watcher;

static bool watch(void *context, double done) {
    watcher *w = context;
    assert_true(done >= w->last && done <= 1.0);
    w->last = done;
    return ++w->calls != w->cancel_at;
}

static void test_progress_and_cancel(void **state) {
    (void)state;
    swin2sr_image in = make_picture(64, 64), out = {0};
    watcher w = {0};
    swin2sr_options options = {.threads = 2, .rows = 1, .on_progress = watch, .progress_context = &w};
    assert_int_equal(swin2sr_upscale(model, &in, &options, &out, NULL), SWIN2SR_OK);
    assert_true(w.last == 1.0);
    swin2sr_image_free(&out);
    int calls = w.calls;
    for (int at = 1; at <= calls; at += 1 + calls / 8) {
        swin2sr_error error = {""};
        w = (watcher){.cancel_at = at};
        swin2sr_status status = swin2sr_upscale(model, &in, &options, &out, &error);
        if (status == SWIN2SR_OK) /* fewer calls this time: faster than the clock */
            swin2sr_image_free(&out);
        else
            assert_int_equal(status, SWIN2SR_CANCELLED);
        assert_null(out.data);
    }
    swin2sr_image_free(&in);
}

static void test_budget(void **state) {
    (void)state;
    swin2sr_options options = {.threads = 1};
    swin2sr_plan whole, tight;
    swin2sr_error error = {""};
    assert_int_equal(swin2sr_stream_plan(model, &options, 64, 512, &whole, NULL), SWIN2SR_OK);
    assert_true(whole.rows > 1);
    options.memory_bytes = whole.memory_bytes - 1;
    assert_int_equal(swin2sr_stream_plan(model, &options, 64, 512, &tight, NULL), SWIN2SR_OK);
    assert_true(tight.rows < whole.rows && tight.memory_bytes <= options.memory_bytes);
    options.memory_bytes = 1 << 20;
    assert_int_equal(swin2sr_stream_plan(model, &options, 64, 512, &tight, &error), SWIN2SR_TOO_LARGE);
    assert_non_null(strstr(error.text, "MiB"));
}

static void test_misuse(void **state) {
    (void)state;
    swin2sr_plan plan;
    swin2sr_options options = {.threads = -1};
    assert_int_equal(swin2sr_stream_plan(model, NULL, 0, 5, &plan, NULL), SWIN2SR_INVALID);
    assert_int_equal(swin2sr_stream_plan(model, NULL, 5, 65536, &plan, NULL), SWIN2SR_INVALID);
    assert_int_equal(swin2sr_stream_plan(model, &options, 5, 5, &plan, NULL), SWIN2SR_INVALID);
    options = (swin2sr_options){.input_pixel = SWIN2SR_PIXEL_COUNT};
    assert_int_equal(swin2sr_stream_plan(model, &options, 5, 5, &plan, NULL), SWIN2SR_INVALID);
    options = (swin2sr_options){.rows = 65};
    assert_int_equal(swin2sr_stream_plan(model, &options, 5, 5, &plan, NULL), SWIN2SR_INVALID);
    options = (swin2sr_options){.reserved = {0, 1}};
    assert_int_equal(swin2sr_stream_plan(model, &options, 5, 5, &plan, NULL), SWIN2SR_INVALID);
    swin2sr_model_options unknown = {.precision = SWIN2SR_PRECISION_COUNT};
    swin2sr_model *other = NULL;
    assert_int_equal(swin2sr_model_open_default(&unknown, &other, NULL), SWIN2SR_INVALID);
    unknown = (swin2sr_model_options){.reserved = {1}};
    assert_int_equal(swin2sr_model_open_default(&unknown, &other, NULL), SWIN2SR_INVALID);
    assert_null(other);
    swin2sr_stream_close(NULL);
    swin2sr_model_unref(NULL);
    swin2sr_image_free(NULL);
}

static void check_refused(swin2sr_image in, const char *word) {
    swin2sr_image out = {0};
    swin2sr_error error = {""};
    assert_int_equal(swin2sr_upscale(model, &in, NULL, &out, &error), SWIN2SR_INVALID);
    assert_non_null(strstr(error.text, word));
    assert_null(out.data);
}

static void test_pixels_that_are_not_there(void **state) {
    (void)state;
    swin2sr_image in = make_picture(16, 9), wrong = in;
    swin2sr_stream *stream = NULL;
    receiver r = {.stop_at = -1};
    wrong.data = NULL;
    check_refused(wrong, "NULL");
    wrong = in, wrong.stride_bytes = 47;
    check_refused(wrong, "48 bytes");
    assert_int_equal(swin2sr_stream_open(model, NULL, 16, 9, receive, &r, &stream, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_stream_push(stream, NULL, 48, 1), SWIN2SR_INVALID);
    assert_int_equal(swin2sr_stream_push(stream, in.data, 47, 1), SWIN2SR_INVALID);
    swin2sr_stream_close(stream);
    swin2sr_options floats = {.input_pixel = SWIN2SR_PIXEL_RGBF32};
    assert_int_equal(swin2sr_stream_open(model, &floats, 4, 3, receive, &r, &stream, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_stream_push(stream, (char *)in.data + 1, 48, 1), SWIN2SR_INVALID);
    assert_int_equal(swin2sr_stream_push(stream, in.data, 50, 1), SWIN2SR_INVALID);
    swin2sr_stream_close(stream);
    swin2sr_image_free(&in);
}

static void test_plan_of_an_open_stream(void **state) {
    (void)state;
    swin2sr_stream *stream = NULL;
    receiver r = {.stop_at = -1};
    swin2sr_options options = {.threads = 2, .tile_px = 64};
    swin2sr_plan plan;
    assert_int_equal(swin2sr_stream_plan(model, &options, 200, 100, &plan, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_stream_open(model, &options, 200, 100, receive, &r, &stream, NULL), SWIN2SR_OK);
    const swin2sr_plan *open = swin2sr_stream_get_plan(stream);
    assert_int_equal(open->memory_bytes, plan.memory_bytes);
    assert_int_equal(open->threads, 2);
    assert_int_equal(open->columns, plan.columns);
    assert_int_equal(open->bands, plan.bands);
    assert_int_equal(open->latency_rows, plan.latency_rows);
    assert_string_equal(open->threads_note, "");
    swin2sr_stream_close(stream);
}

/* Streams on shared threads, one after the other, give the bits of a stream with its own. */
static void test_shared_threads(void **state) {
    (void)state;
    swin2sr_image in = make_picture(40, 30), expected = {0}, out = {0};
    swin2sr_options options = {.threads = 1};
    assert_int_equal(swin2sr_upscale(model, &in, &options, &expected, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_threads_new(3, &options.shared_threads, NULL), SWIN2SR_OK);
    for (int i = 0; i < 3; i++) {
        swin2sr_plan plan;
        assert_int_equal(swin2sr_stream_plan(model, &options, 40, 30, &plan, NULL), SWIN2SR_OK);
        assert_int_equal(plan.threads, 3);
        assert_int_equal(swin2sr_upscale(model, &in, &options, &out, NULL), SWIN2SR_OK);
        assert_memory_equal(out.data, expected.data, out.stride_bytes * (size_t)out.height_px);
        swin2sr_image_free(&out);
    }
    swin2sr_threads_free(options.shared_threads);
    swin2sr_threads_free(NULL);
    assert_int_equal(swin2sr_threads_new(257, &options.shared_threads, NULL), SWIN2SR_INVALID);
    swin2sr_image_free(&expected);
    swin2sr_image_free(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_info),
        cmocka_unit_test(test_every_small_size),
        cmocka_unit_test(test_rows_leave_in_order_while_pushing),
        cmocka_unit_test(test_receiver_stops_the_stream),
        cmocka_unit_test(test_progress_and_cancel),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_pixels_that_are_not_there),
        cmocka_unit_test(test_plan_of_an_open_stream),
        cmocka_unit_test(test_shared_threads),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
