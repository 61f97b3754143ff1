/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/upscale/test_pixels.c - alpha, another order and grey on the default network: the colours are those of an RGB
 * image bit for bit, whole and in tiles, in pieces of any height; what no network takes is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <swin2sr/swin2sr.h>

enum {
    W = 70,
    H = 75,
    S = 4
};

static swin2sr_model *model;

static int open_model(void **state) {
    return swin2sr_model_open_default(NULL, &model, NULL) == SWIN2SR_OK ? 0 : -1;
}

static int close_model(void **state) {
    swin2sr_model_unref(model);
    return 0;
}

static unsigned char colour_at(int32_t x, int32_t y, int c) {
    return (unsigned char)(x * (3 + c) + y * 5 + (x * y) % 40);
}

static unsigned char alpha_at(int32_t x, int32_t y) {
    return (unsigned char)(x < 20 ? 0 : x > 50 ? 255 : 2 * y);
}

/* Where a channel of RGBA is in a pixel; -1: nowhere. Grey has the red. */
static int place(swin2sr_pixel pixel, int c) {
    if (pixel == SWIN2SR_PIXEL_GREY8)
        return c == 0 ? 0 : -1;
    if (c == 3)
        return pixel == SWIN2SR_PIXEL_RGB8 ? -1 : 3;
    return pixel == SWIN2SR_PIXEL_BGRA8 ? 2 - c : c;
}

static swin2sr_image make_picture(swin2sr_pixel pixel, bool is_grey) {
    swin2sr_image image;
    assert_int_equal(swin2sr_image_alloc(W, H, pixel, &image), SWIN2SR_OK);
    for (int32_t y = 0; y < H; y++)
        for (int32_t x = 0; x < W; x++)
            for (int c = 0; c < 4; c++)
                if (place(pixel, c) >= 0)
                    ((unsigned char *)image.data)[(size_t)y * image.stride_bytes +
                                                  (size_t)x * swin2sr_pixel_bytes(pixel) + (size_t)place(pixel, c)] =
                        c == 3 ? alpha_at(x, y) : colour_at(x, y, is_grey ? 0 : c);
    return image;
}

static swin2sr_image enlarge(swin2sr_pixel in_pixel, swin2sr_pixel out_pixel, bool is_grey, int32_t tile_px) {
    swin2sr_image in = make_picture(in_pixel, is_grey), out = {0};
    swin2sr_options options = {
        .threads = 2, .output_pixel = out_pixel, .tile_px = tile_px, .overlap_px = tile_px ? -1 : 0};
    assert_int_equal(swin2sr_upscale(model, &in, &options, &out, NULL), SWIN2SR_OK);
    assert_int_equal(out.pixel, out_pixel);
    swin2sr_image_free(&in);
    return out;
}

static int value(const swin2sr_image *image, int32_t i, int c) {
    return ((const unsigned char *)
                image->data)[(size_t)i * swin2sr_pixel_bytes(image->pixel) + (size_t)place(image->pixel, c)];
}

static void check_colours(const swin2sr_image *got, const swin2sr_image *wanted) {
    for (int32_t i = 0; i < W * H * S * S; i++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(value(got, i, c), value(wanted, i, c));
}

static void test_alpha(void **state) {
    for (int32_t tile = 0; tile <= 64; tile += 64) {
        swin2sr_image rgb = enlarge(SWIN2SR_PIXEL_RGB8, SWIN2SR_PIXEL_RGB8, false, tile);
        swin2sr_image rgba = enlarge(SWIN2SR_PIXEL_RGBA8, SWIN2SR_PIXEL_RGBA8, false, tile);
        swin2sr_image bgra = enlarge(SWIN2SR_PIXEL_BGRA8, SWIN2SR_PIXEL_BGRA8, false, tile);
        swin2sr_image mixed = enlarge(SWIN2SR_PIXEL_RGBA8, SWIN2SR_PIXEL_BGRA8, false, tile);
        swin2sr_image opaque = enlarge(SWIN2SR_PIXEL_RGB8, SWIN2SR_PIXEL_RGBA8, false, tile);
        swin2sr_image dropped = enlarge(SWIN2SR_PIXEL_BGRA8, SWIN2SR_PIXEL_RGB8, false, tile);
        check_colours(&rgba, &rgb);
        check_colours(&bgra, &rgb);
        check_colours(&opaque, &rgb);
        assert_memory_equal(mixed.data, bgra.data, bgra.stride_bytes * (size_t)bgra.height_px);
        assert_memory_equal(dropped.data, rgb.data, rgb.stride_bytes * (size_t)rgb.height_px);
        for (int32_t i = 0; i < W * H * S * S; i++) {
            int32_t x = i % (W * S) / S, y = i / (W * S) / S;
            assert_int_equal(value(&opaque, i, 3), 255);
            assert_int_equal(value(&rgba, i, 3), value(&bgra, i, 3));
            if (x < 18 || x > 52)
                assert_int_equal(value(&rgba, i, 3), x < 18 ? 0 : 255);
            else if (x > 22 && x < 49 && y > 1 && y < H - 2) /* linear: within half a pixel */
                assert_true(abs(value(&rgba, i, 3) - 2 * y) <= 1);
        }
        swin2sr_image *all[] = {&rgb, &rgba, &bgra, &mixed, &opaque, &dropped};
        for (size_t i = 0; i < 6; i++)
            swin2sr_image_free(all[i]);
    }
}

static void test_grey(void **state) {
    swin2sr_image rgb = enlarge(SWIN2SR_PIXEL_RGB8, SWIN2SR_PIXEL_RGB8, true, 0);
    swin2sr_image grey = enlarge(SWIN2SR_PIXEL_GREY8, SWIN2SR_PIXEL_GREY8, true, 0);
    swin2sr_image colour = enlarge(SWIN2SR_PIXEL_GREY8, SWIN2SR_PIXEL_RGB8, true, 0);
    assert_memory_equal(colour.data, rgb.data, rgb.stride_bytes * (size_t)rgb.height_px);
    for (int32_t i = 0; i < W * H * S * S; i++)
        assert_int_equal(value(&grey, i, 0), (value(&rgb, i, 0) + value(&rgb, i, 1) + value(&rgb, i, 2) + 1) / 3);
    swin2sr_image floats = {0}, out = {0};
    const swin2sr_options options = {.output_pixel = SWIN2SR_PIXEL_GREYF32};
    assert_int_equal(swin2sr_image_alloc(W, H, SWIN2SR_PIXEL_GREYF32, &floats), SWIN2SR_OK);
    for (int32_t i = 0; i < W * H; i++)
        ((float *)floats.data)[i] = (float)colour_at(i % W, i / W, 0) / 255.0f;
    assert_int_equal(swin2sr_upscale(model, &floats, &options, &out, NULL), SWIN2SR_OK);
    for (int32_t i = 0; i < W * H * S * S; i++) {
        float level = ((float *)out.data)[i] * 255, wanted = (float)value(&grey, i, 0);
        if (wanted > 30 && wanted < 225) /* elsewhere single channels may be clipped in 8 bits */
            assert_true(level > wanted - 1.1f && level < wanted + 1.1f);
    }
    swin2sr_image *all[] = {&rgb, &grey, &colour, &floats, &out};
    for (size_t i = 0; i < 5; i++)
        swin2sr_image_free(all[i]);
}

typedef struct receiver {
    unsigned char *bytes;
    int32_t next_y;
} receiver;

static swin2sr_status receive(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    receiver *self = context;
    assert_int_equal(y, self->next_y);
    for (int32_t i = 0; i < n; i++)
        memcpy(self->bytes + (size_t)(y + i) * W * S * 4, (const char *)rows + (size_t)i * stride_bytes,
               (size_t)W * S * 4);
    self->next_y += n;
    return SWIN2SR_OK;
}

static void test_pieces_and_plan(void **state) {
    static const int32_t PIECES[] = {1, 2, 3, 7, H};
    swin2sr_image in = make_picture(SWIN2SR_PIXEL_BGRA8, false);
    swin2sr_image wanted = enlarge(SWIN2SR_PIXEL_BGRA8, SWIN2SR_PIXEL_BGRA8, false, 0);
    swin2sr_options options = {.threads = 1, .input_pixel = SWIN2SR_PIXEL_BGRA8, .output_pixel = SWIN2SR_PIXEL_BGRA8};
    swin2sr_plan plan, plain;
    assert_int_equal(swin2sr_stream_plan(model, &options, W, H, &plan, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_stream_plan(model, &(swin2sr_options){.threads = 1}, W, H, &plain, NULL), SWIN2SR_OK);
    assert_true(plan.memory_bytes > plain.memory_bytes);
    for (size_t i = 0; i < 5; i++) {
        receiver r = {.bytes = calloc(1, (size_t)W * H * S * S * 4)};
        swin2sr_stream *stream;
        assert_int_equal(swin2sr_stream_open(model, &options, W, H, receive, &r, &stream, NULL), SWIN2SR_OK);
        for (int32_t y = 0; y < H; y += PIECES[i]) {
            int32_t n = H - y < PIECES[i] ? H - y : PIECES[i];
            assert_int_equal(
                swin2sr_stream_push(stream, (char *)in.data + (size_t)y * in.stride_bytes, in.stride_bytes, n),
                SWIN2SR_OK);
        }
        assert_int_equal(r.next_y, H * S);
        assert_memory_equal(r.bytes, wanted.data, (size_t)W * H * S * S * 4);
        assert_int_equal(swin2sr_stream_push(stream, in.data, in.stride_bytes, 1), SWIN2SR_INVALID);
        swin2sr_stream_close(stream);
        free(r.bytes);
    }
    swin2sr_image_free(&in);
    swin2sr_image_free(&wanted);
}

static swin2sr_status ignore(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    return SWIN2SR_OK;
}

static void test_refused(void **state) {
    swin2sr_plan plan;
    swin2sr_error error;
    swin2sr_options options = {.input_pixel = SWIN2SR_PIXEL_COUNT};
    assert_int_equal(swin2sr_stream_plan(model, &options, 9, 9, &plan, &error), SWIN2SR_INVALID);
    options = (swin2sr_options){.output_pixel = (swin2sr_pixel)-1};
    assert_int_equal(swin2sr_stream_plan(model, &options, 9, 9, &plan, &error), SWIN2SR_INVALID);
    swin2sr_model *grey = NULL, *aux = NULL;
    const char *folder = SWIN2SR_SOURCE_DIR "/tests/fixtures/goldens/";
    char path[512];
    strcat(strcpy(path, folder), "jpeg_gray.safetensors");
    assert_int_equal(swin2sr_model_open(path, NULL, &grey, NULL), SWIN2SR_OK);
    for (swin2sr_pixel pixel = SWIN2SR_PIXEL_RGB8; pixel < SWIN2SR_PIXEL_COUNT; pixel++) {
        bool is_grey = pixel == SWIN2SR_PIXEL_GREY8 || pixel == SWIN2SR_PIXEL_GREYF32;
        options = (swin2sr_options){.input_pixel = pixel, .output_pixel = SWIN2SR_PIXEL_GREY8};
        assert_int_equal(swin2sr_stream_plan(grey, &options, 9, 9, &plan, &error),
                         is_grey ? SWIN2SR_OK : SWIN2SR_INVALID);
    }
    strcat(strcpy(path, folder), "tiny_aux_x4.safetensors");
    assert_int_equal(swin2sr_model_open(path, NULL, &aux, NULL), SWIN2SR_OK);
    options = (swin2sr_options){.output_pixel = SWIN2SR_PIXEL_RGBA8, .on_aux_rows = ignore};
    assert_int_equal(swin2sr_stream_plan(aux, &options, 9, 9, &plan, &error), SWIN2SR_INVALID);
    assert_non_null(strstr(error.text, "alpha"));
    options.output_pixel = SWIN2SR_PIXEL_GREY8;
    assert_int_equal(swin2sr_stream_plan(aux, &options, 9, 9, &plan, &error), SWIN2SR_OK);
    swin2sr_model_unref(grey);
    swin2sr_model_unref(aux);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_alpha), cmocka_unit_test(test_grey),
                                       cmocka_unit_test(test_pieces_and_plan), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, open_model, close_model);
}
