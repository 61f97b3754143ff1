/* SPDX-License-Identifier: Apache-2.0
 * upscale_gradient.c - the C API in one small program: an image in one call, then the same image row by row.
 * In: nothing; it draws a gradient.  Out: the sizes and a checksum of each result; the checksums are equal.
 * The test suite compiles and runs it as a user would:
 *     cc upscale_gradient.c $(pkg-config --cflags --libs swin2sr) -o upscale_gradient */
#include <stdio.h>
#include <stdlib.h>

#include <swin2sr/swin2sr.h>

enum {
    WIDTH_PX = 24,
    HEIGHT_PX = 16,
};

/* Every call that can fail returns a status and writes a sentence for people. */
static void must(swin2sr_status status, const char *what, const swin2sr_error *error) {
    if (status == SWIN2SR_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, swin2sr_status_name(status), error->text);
    exit(1);
}

/* FNV-1a; any checksum would do. Both ways of enlarging add rows in the same order, so they give the same sum. */
static uint64_t checksum_add(uint64_t sum, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ at[i]) * 1099511628211u;
    return sum;
}

static const uint64_t checksum_start = 14695981039346656037u;

static swin2sr_image draw_gradient(void) {
    swin2sr_image image;
    swin2sr_error error = {""};
    must(swin2sr_image_alloc(WIDTH_PX, HEIGHT_PX, SWIN2SR_PIXEL_RGB8, &image), "allocate", &error);
    for (int y = 0; y < HEIGHT_PX; y++) {
        unsigned char *row = (unsigned char *)image.data + (size_t)y * image.stride_bytes;
        for (int x = 0; x < WIDTH_PX; x++) {
            row[3 * x + 0] = (unsigned char)(255 * x / (WIDTH_PX - 1));
            row[3 * x + 1] = (unsigned char)(255 * y / (HEIGHT_PX - 1));
            row[3 * x + 2] = 128;
        }
    }
    return image;
}

/* One call. The caller frees the result. */
static void upscale_whole(swin2sr_model *model, const swin2sr_image *in) {
    swin2sr_image out;
    swin2sr_error error = {""};
    must(swin2sr_upscale(model, in, NULL, &out, &error), "upscale", &error);
    uint64_t sum = checksum_start;
    for (int32_t y = 0; y < out.height_px; y++)
        sum = checksum_add(sum, (const char *)out.data + (size_t)y * out.stride_bytes,
                           (size_t)out.width_px * swin2sr_pixel_bytes(out.pixel));
    printf("one call: %dx%d -> %dx%d, checksum %016llx\n", (int)in->width_px, (int)in->height_px, (int)out.width_px,
           (int)out.height_px, (unsigned long long)sum);
    swin2sr_image_free(&out);
}

/* The context of the stream's callback: here a checksum, in an encoder the open file. */
typedef struct row_sink {
    size_t row_bytes;
    int32_t rows_count;
    uint64_t sum;
} row_sink;

/* Called with each finished row, top to bottom, while later rows are still being pushed. */
static swin2sr_status take_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    row_sink *sink = context;
    if (y != sink->rows_count)
        return SWIN2SR_INTERNAL; /* any status but OK stops the stream */
    for (int32_t i = 0; i < n; i++)
        sink->sum = checksum_add(sink->sum, (const char *)rows + (size_t)i * stride_bytes, sink->row_bytes);
    sink->rows_count += n;
    return SWIN2SR_OK;
}

/* Rows in, rows out. The memory grows with the width only, because no whole image is ever kept. */
static void upscale_rows(swin2sr_model *model, const swin2sr_image *in) {
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    row_sink sink = {.row_bytes = (size_t)in->width_px * (size_t)info->scale * 3, .sum = checksum_start};
    swin2sr_options options = {.threads = 1}; /* everything else: the defaults */
    swin2sr_stream *stream;
    swin2sr_error error = {""};
    must(swin2sr_stream_open(model, &options, in->width_px, in->height_px, take_rows, &sink, &stream, &error),
         "open a stream", &error);
    for (int32_t y = 0; y < in->height_px; y++) {
        const char *row = (const char *)in->data + (size_t)y * in->stride_bytes;
        must(swin2sr_stream_push(stream, row, in->stride_bytes, 1), "push a row", &error);
    }
    swin2sr_stream_close(stream);
    printf("stream:   %dx%d -> %dx%d, checksum %016llx\n", (int)in->width_px, (int)in->height_px,
           (int)(in->width_px * info->scale), (int)sink.rows_count, (unsigned long long)sink.sum);
}

int main(void) {
    swin2sr_model *model;
    swin2sr_error error = {""};
    must(swin2sr_model_open_default(NULL, &model, &error), "open the network", &error);
    printf("swin2sr %s, network %s\n", swin2sr_version(), swin2sr_model_get_info(model)->name);

    swin2sr_image in = draw_gradient();
    upscale_whole(model, &in);
    upscale_rows(model, &in);
    swin2sr_image_free(&in);
    swin2sr_model_unref(model);
    return 0;
}
