/* SPDX-License-Identifier: Apache-2.0
 * bench/encoders.c - time and size of image files, in turns: PNG by libpng and by each level of this project, or JPEG and
 * WebP.
 * In: raw rows in the machine's order on standard input.  Out: one JSON object; the files of JPEG and WebP in FOLDER.
 * Run by bench/png.py and bench/formats.py.
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

/* One way to write a picture. */
typedef struct way {
    const char *name;
    format_id format;
    format_compression compression;
    int32_t quality;
} way;

static const way png_ways[] = {
    {"libpng", FORMAT_COUNT, FORMAT_COMPRESSION_DEFAULT, 0},
    {"fast", FORMAT_PNG, FORMAT_COMPRESSION_FAST, 0},
    {"default", FORMAT_PNG, FORMAT_COMPRESSION_DEFAULT, 0},
    {"best", FORMAT_PNG, FORMAT_COMPRESSION_BEST, 0},
};

static const way other_ways[] = {
    {"jpeg-90", FORMAT_JPEG, FORMAT_COMPRESSION_DEFAULT, 90},
    {"jpeg-95", FORMAT_JPEG, FORMAT_COMPRESSION_DEFAULT, 95},
    {"webp-95-fast", FORMAT_WEBP, FORMAT_COMPRESSION_FAST, 95},
    {"webp-95-default", FORMAT_WEBP, FORMAT_COMPRESSION_DEFAULT, 95},
    {"webp-95-best", FORMAT_WEBP, FORMAT_COMPRESSION_BEST, 95},
    {"webp-100-fast", FORMAT_WEBP, FORMAT_COMPRESSION_FAST, 100},
    {"webp-100-default", FORMAT_WEBP, FORMAT_COMPRESSION_DEFAULT, 100},
};

#define MOST_WAYS (sizeof other_ways / sizeof *other_ways)

typedef struct output {
    size_t size;
    FILE *file; /* NULL: the bytes are only counted */
} output;

static bool take_bytes(void *context, const void *bytes, size_t size) {
    output *self = context;
    self->size += size;
    return self->file == NULL || fwrite(bytes, 1, size, self->file) == size;
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

static size_t write_in_way(const job *self, const way *way, FILE *file) {
    image_writer_options options = {.format = way->format,
                                    .compression = way->compression,
                                    .quality = way->quality,
                                    .threads = self->threads,
                                    .sample_bytes = self->sample_bytes};
    image_writer *writer = NULL;
    output out = {.file = file};
    if (way->format == FORMAT_COUNT)
        return write_with_libpng(self);
    if (image_writer_open(&options, self->width_px, self->height_px, self->channels, take_bytes, &out, &writer, NULL) !=
        SWIN2SR_OK)
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
    return out.size;
}

static void measure(const job *self, const way *ways, size_t count, int repeats) {
    double best_cpu_ms[MOST_WAYS], best_wall_ms[MOST_WAYS];
    size_t sizes[MOST_WAYS];
    for (int repeat = 0; repeat < repeats; repeat++)
        for (size_t i = 0; i < count; i++) {
            uint64_t start_us = swin2sr__clock_us();
            double start_ms = processor_ms();
            sizes[i] = write_in_way(self, &ways[i], NULL);
            double took_cpu_ms = processor_ms() - start_ms,
                   took_wall_ms = (double)(swin2sr__clock_us() - start_us) / 1e3;
            if (repeat == 0 || took_cpu_ms < best_cpu_ms[i])
                best_cpu_ms[i] = took_cpu_ms;
            if (repeat == 0 || took_wall_ms < best_wall_ms[i])
                best_wall_ms[i] = took_wall_ms;
        }
    for (size_t i = 0; i < count; i++)
        printf("%s\"%s\": {\"cpu_ms\": %.1f, \"wall_ms\": %.1f, \"bytes\": %zu}", i == 0 ? "{" : ", ", ways[i].name,
               best_cpu_ms[i], best_wall_ms[i], sizes[i]);
    printf("}\n");
}

/* Write a file of each way. */
static void keep_files(const job *self, const char *folder) {
    for (size_t i = 0; i < MOST_WAYS; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, other_ways[i].name);
        FILE *file = fopen(path, "we");
        if (file == NULL)
            exit(1);
        write_in_way(self, &other_ways[i], file);
        fclose(file);
    }
}

int main(int argc, char **argv) {
    if (argc != 7 && argc != 8) {
        fprintf(stderr, "usage: encoders WIDTH HEIGHT CHANNELS SAMPLE_BYTES THREADS REPEATS [FOLDER] < ROWS\n");
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
    if (argc == 8)
        keep_files(&self, argv[7]);
    measure(&self, argc == 8 ? other_ways : png_ways, argc == 8 ? MOST_WAYS : sizeof png_ways / sizeof *png_ways,
            atoi(argv[6]));
    swin2sr_threads_free(self.threads);
    free(self.rows);
    return 0;
}
