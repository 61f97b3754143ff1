/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/upscale/test_cancel.c - cancels at random moments, by both callbacks, whole and in tiles, 1 to 3 threads.
 * usage: test_upscale_cancel [COUNT]   200 unless told; `make test-tsan` runs them under ThreadSanitizer */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include <swin2sr/swin2sr.h>

static int cancels_count = 200;

typedef struct stopper {
    int32_t next_y;
    int calls, stop_at;
    double done;
} stopper;

static swin2sr_status receive(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    stopper *s = context;
    (void)rows;
    (void)stride_bytes;
    assert_int_equal(y, s->next_y);
    s->next_y += n;
    return ++s->calls == s->stop_at ? SWIN2SR_IO : SWIN2SR_OK;
}

static bool go_on(void *context, double done) {
    stopper *s = context;
    assert_true(done >= s->done && done <= 1.0);
    s->done = done;
    return ++s->calls != s->stop_at;
}

static void test_random_cancels(void **state) {
    (void)state;
    swin2sr_model *model = NULL;
    swin2sr_image in;
    assert_int_equal(swin2sr_model_open_default(NULL, &model, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_image_alloc(80, 72, SWIN2SR_PIXEL_RGB8, &in), SWIN2SR_OK);
    uint32_t random = 7;
    int cancelled = 0;
    for (int i = 0; i < cancels_count; i++) {
        random = random * 1664525u + 1013904223u;
        stopper s = {.stop_at = 1 + (int)(random >> 16) % 14};
        swin2sr_options options = {.threads = 1 + i % 3, .rows = 1, .tile_px = i % 4 == 3 ? 64 : 0};
        options.on_progress = go_on;
        options.progress_context = &s;
        swin2sr_stream *stream = NULL;
        assert_int_equal(swin2sr_stream_open(model, &options, 80, 72, receive, &s, &stream, NULL), SWIN2SR_OK);
        swin2sr_status status = SWIN2SR_OK;
        for (int32_t y = 0; y < 72 && status == SWIN2SR_OK; y += 9)
            status = swin2sr_stream_push(stream, (char *)in.data + (size_t)y * in.stride_bytes, in.stride_bytes, 9);
        if (status != SWIN2SR_OK) {
            assert_true(status == SWIN2SR_CANCELLED || status == SWIN2SR_IO);
            assert_int_equal(swin2sr_stream_push(stream, in.data, in.stride_bytes, 1), status);
            cancelled++;
        } else {
            assert_int_equal(s.next_y, 4 * 72);
        }
        swin2sr_stream_close(stream);
    }
    assert_true(cancelled > cancels_count / 2);
    swin2sr_image_free(&in);
    swin2sr_model_unref(model);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_cancels)};
    if (argc > 1)
        cancels_count = atoi(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
