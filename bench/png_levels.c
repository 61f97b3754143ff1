/* SPDX-License-Identifier: Apache-2.0
 * bench/png_levels.c - time and size of a PNG file, by libpng and by each level of this project, in turns.
 * In: raw rows in the machine's order on standard input.  Out: one JSON object.  Run by bench/png.py.
 * Times are processor time of the process, the best of N, from opening the writer to closing it. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "image/image.h"

typedef struct job {
    int32_t width_px, height_px, channels, sample_bytes;
    uint8_t *rows;
    size_t row_bytes;
    swin2sr_threads *threads;
} job;

static double processor_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static bool count_bytes(void *context, const void *bytes, size_t size) {
    *(size_t *)context += size;
    return true;
}

static void count_png_bytes(png_structp png, png_bytep bytes, size_t size) {
    *(size_t *)png_get_io_ptr(png) += size;
}

/* libpng as it is: all filters, zlib's level 6. */
static size_t write_with_libpng(const job *self) {
    static const int colour_types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                       PNG_COLOR_TYPE_RGB_ALPHA};
    size_t written = 0;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &written, count_png_bytes, NULL);
    png_set_IHDR(png, info, (png_uint_32)self->width_px, (png_uint_32)self->height_px, 8 * self->sample_bytes,
                 colour_types[self->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_write_info(png, info);
    if (self->sample_bytes == 2)
        png_set_swap(png);
    for (int32_t y = 0; y < self->height_px; y++)
        png_write_row(png, self->rows + (size_t)y * self->row_bytes);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return written;
}

static size_t write_at_level(const job *self, format_compression level) {
    image_writer_options options = {
        .format = FORMAT_PNG, .compression = level, .threads = self->threads, .sample_bytes = self->sample_bytes};
    image_writer *writer = NULL;
    size_t written = 0;
    if (image_writer_open(&options, self->width_px, self->height_px, self->channels, count_bytes, &written, &writer,
                          NULL) != SWIN2SR_OK)
        exit(1);
    for (int32_t y = 0; y < self->height_px; y += 32) { /* as the network delivers them */
        int32_t n = self->height_px - y < 32 ? self->height_px - y : 32;
        if (image_writer_write(writer, self->rows + (size_t)y * self->row_bytes, self->row_bytes, n, NULL) !=
            SWIN2SR_OK)
            exit(1);
    }
    if (image_writer_finish(writer, NULL) != SWIN2SR_OK)
        exit(1);
    image_writer_close(writer);
    return written;
}

static void measure(const job *self, int repeats) {
    double best_cpu_ms[1 + FORMAT_COMPRESSION_COUNT], best_wall_ms[1 + FORMAT_COMPRESSION_COUNT];
    size_t sizes[1 + FORMAT_COMPRESSION_COUNT];
    for (int repeat = 0; repeat < repeats; repeat++)
        for (int which = 0; which <= FORMAT_COMPRESSION_COUNT; which++) {
            uint64_t start_us = swin2sr__clock_us();
            double start_ms = processor_ms();
            sizes[which] = which == 0 ? write_with_libpng(self) : write_at_level(self, (format_compression)(which - 1));
            double took_cpu_ms = processor_ms() - start_ms,
                   took_wall_ms = (double)(swin2sr__clock_us() - start_us) / 1e3;
            if (repeat == 0 || took_cpu_ms < best_cpu_ms[which])
                best_cpu_ms[which] = took_cpu_ms;
            if (repeat == 0 || took_wall_ms < best_wall_ms[which])
                best_wall_ms[which] = took_wall_ms;
        }
    for (int which = 0; which <= FORMAT_COMPRESSION_COUNT; which++)
        printf("%s\"%s\": {\"cpu_ms\": %.1f, \"wall_ms\": %.1f, \"bytes\": %zu}", which == 0 ? "{" : ", ",
               which == 0 ? "libpng" : format_compression_name((size_t)which - 1), best_cpu_ms[which],
               best_wall_ms[which], sizes[which]);
    printf("}\n");
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: png_levels WIDTH HEIGHT CHANNELS SAMPLE_BYTES THREADS REPEATS < ROWS\n");
        return 2;
    }
    job self = {.width_px = atoi(argv[1]),
                .height_px = atoi(argv[2]),
                .channels = atoi(argv[3]),
                .sample_bytes = atoi(argv[4])};
    self.row_bytes = (size_t)self.width_px * (size_t)(self.channels * self.sample_bytes);
    self.rows = malloc(self.row_bytes * (size_t)self.height_px);
    if (self.rows == NULL ||
        fread(self.rows, self.row_bytes, (size_t)self.height_px, stdin) != (size_t)self.height_px ||
        swin2sr_threads_new(atoi(argv[5]), &self.threads, NULL) != SWIN2SR_OK)
        return 1;
    measure(&self, atoi(argv[6]));
    swin2sr_threads_free(self.threads);
    free(self.rows);
    return 0;
}
