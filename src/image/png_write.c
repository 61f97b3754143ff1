/* SPDX-License-Identifier: Apache-2.0
 * image/png_write.c - write PNG files (stage 8 encode of 9).
 * Rows are collected into strips, as many as there are threads; these filter and compress them at the same time. The
 * chunks then leave in order. libpng is not used: it compresses on one thread only, ten times slower. */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "image/codec.h"
#include "image/png_metadata.h"
#include "image/png_strip.h"

#define MAX_STRIPS 8 /* at a time: bounds the memory, about 0.7 MB each */
#define IHDR_BYTES 13
#define END_BYTES 9 /* the last, empty block of the zlib stream, and its checksum */
#define IS_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

typedef struct png_encoder {
    image_encoder base;
    image_encoder_setup setup;
    png_packed packed;
    png_strip_shape shape;
    uint32_t strip_count; /* at a time */
    int32_t strip_rows;
    int32_t rows_held;  /* since strips were last written */
    uint8_t *rows;      /* [1 + strip_count * strip_rows][row_bytes]; the first is the row above the others */
    png_strip *strips;  /* [strip_count] */
    bool is_first_done; /* strips have been written */
    uint32_t adler;
} png_encoder;

static void give(png_encoder *encoder, const uint8_t *bytes, size_t size) {
    if (!encoder->setup.sink(encoder->setup.context, bytes, size))
        image_trap_spring(&encoder->base.trap, SWIN2SR_IO, "the output could not be written");
}

static void give_chunk(void *context, const char *type, const uint8_t *body, size_t size) {
    png_encoder *encoder = context;
    uint8_t head[PNG_CHUNK_HEAD_BYTES], tail[PNG_CHUNK_TAIL_BYTES];
    png_put_u32(head, (uint32_t)size);
    memcpy(head + 4, type, 4);
    png_put_u32(tail, (uint32_t)crc32_z(crc32_z(0, head + 4, 4), body, size));
    give(encoder, head, sizeof head);
    if (size > 0)
        give(encoder, body, size);
    give(encoder, tail, sizeof tail);
}

static void png_start_step(void *context) {
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const uint8_t colour_types[] = {[1] = 0, [2] = 4, [3] = 2, [4] = 6};
    png_encoder *encoder = context;
    const image_encoder_setup *setup = &encoder->setup;
    uint8_t header[IHDR_BYTES] = {[8] = (uint8_t)(8 * setup->sample_bytes), [9] = colour_types[setup->channels]};
    png_put_u32(header, (uint32_t)setup->width_px);
    png_put_u32(header + 4, (uint32_t)setup->height_px);
    give(encoder, signature, sizeof signature);
    give_chunk(encoder, "IHDR", header, sizeof header);
    png_metadata_write(setup->metadata, &encoder->packed, give_chunk, encoder);
}

static void encode_strip(void *context, uint32_t task, uint32_t thread) {
    png_encoder *encoder = context;
    png_strip_encode(&encoder->strips[task], &encoder->shape);
}

/* Encode and write the rows held. */
static void write_strips(png_encoder *encoder) {
    size_t row_bytes = encoder->shape.row_bytes;
    uint32_t count = 0;
    if (encoder->rows_held == 0)
        return;
    for (int32_t y = 0; y < encoder->rows_held; y += encoder->strip_rows) {
        png_strip *strip = &encoder->strips[count++];
        int32_t left = encoder->rows_held - y;
        strip->rows = encoder->rows + (size_t)(1 + y) * row_bytes;
        strip->n = left < encoder->strip_rows ? left : encoder->strip_rows;
        strip->is_first = !encoder->is_first_done;
        encoder->is_first_done = true;
    }
    if (encoder->setup.threads != NULL)
        swin2sr__threads_run(encoder->setup.threads, encode_strip, encoder, count);
    else
        for (uint32_t task = 0; task < count; task++)
            encode_strip(encoder, task, 0);
    memcpy(encoder->rows, encoder->rows + (size_t)encoder->rows_held * row_bytes, row_bytes);
    encoder->rows_held = 0;
    for (uint32_t i = 0; i < count; i++) {
        const png_strip *strip = &encoder->strips[i];
        encoder->adler = (uint32_t)adler32_combine(encoder->adler, strip->adler, (z_off_t)strip->filtered_bytes);
        give(encoder, strip->chunk, strip->chunk_bytes);
    }
}

/* Copy a row. The file has the high byte of a sample first. */
static void take_row(const png_encoder *encoder, const uint8_t *row, uint8_t *ret_row) {
    bool is_swapped = encoder->setup.sample_bytes == 2 && IS_LITTLE_ENDIAN;
    if (!is_swapped)
        memcpy(ret_row, row, encoder->shape.row_bytes);
    for (size_t i = 0; is_swapped && i < encoder->shape.row_bytes; i += 2) {
        ret_row[i] = row[i + 1];
        ret_row[i + 1] = row[i];
    }
}

static void png_write_step(void *context) {
    png_encoder *encoder = context;
    size_t row_bytes = encoder->shape.row_bytes;
    for (int32_t y = 0; y < encoder->base.n; y++) {
        take_row(encoder, encoder->base.rows + (size_t)y * encoder->base.stride_bytes,
                 encoder->rows + (size_t)++encoder->rows_held * row_bytes);
        if (encoder->rows_held == encoder->strip_rows * (int32_t)encoder->strip_count)
            write_strips(encoder);
    }
}

static void png_finish_step(void *context) {
    static const uint8_t empty_block[] = {1, 0, 0, 0xff, 0xff};
    png_encoder *encoder = context;
    uint8_t end[END_BYTES];
    write_strips(encoder);
    memcpy(end, empty_block, sizeof empty_block);
    png_put_u32(end + sizeof empty_block, encoder->adler);
    give_chunk(encoder, "IDAT", end, sizeof end);
    give_chunk(encoder, "IEND", end, 0);
}

static void png_encoder_close(image_encoder *base) {
    png_encoder *encoder = (png_encoder *)base;
    for (uint32_t i = 0; encoder->strips != NULL && i < encoder->strip_count; i++)
        png_strip_done(&encoder->strips[i]);
    png_packed_done(&encoder->packed);
    free(encoder->strips);
    free(encoder->rows);
    free(encoder);
}

static swin2sr_status allocate(png_encoder *encoder) {
    size_t rows = 1 + (size_t)encoder->strip_count * (size_t)encoder->strip_rows;
    encoder->rows = calloc(rows, encoder->shape.row_bytes);
    encoder->strips = calloc(encoder->strip_count, sizeof *encoder->strips);
    if (encoder->rows == NULL || encoder->strips == NULL)
        return SWIN2SR_NOMEM;
    swin2sr_status status = png_metadata_pack(encoder->setup.metadata, &encoder->packed);
    for (uint32_t i = 0; i < encoder->strip_count && status == SWIN2SR_OK; i++)
        status = png_strip_init(&encoder->strips[i], &encoder->shape);
    return status;
}

static uint32_t strips_at_a_time(const image_encoder_setup *setup, int32_t strip_rows) {
    uint32_t threads = setup->threads != NULL ? swin2sr__threads_count(setup->threads) : 1;
    uint32_t all = ((uint32_t)setup->height_px - 1) / (uint32_t)strip_rows + 1;
    uint32_t most = threads < MAX_STRIPS ? threads : MAX_STRIPS;
    return all < most ? all : most;
}

swin2sr_status image_png_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                      swin2sr_error *reterr) {
    png_encoder *encoder = calloc(1, sizeof(*encoder));
    if (encoder == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the PNG");
    encoder->base.write = png_write_step;
    encoder->base.finish = png_finish_step;
    encoder->base.close = png_encoder_close;
    *ret_encoder = &encoder->base;
    encoder->setup = *setup;
    encoder->adler = 1;
    encoder->shape.pixel_bytes = (size_t)(setup->channels * setup->sample_bytes);
    encoder->shape.row_bytes = (size_t)setup->width_px * encoder->shape.pixel_bytes;
    encoder->shape.is_16_bit = setup->sample_bytes == 2;
    encoder->shape.has_avx2 = swin2sr__cpu_detect().has_avx2;
    encoder->shape.compression = setup->compression;
    encoder->strip_rows = png_strip_rows(encoder->shape.row_bytes);
    if (encoder->strip_rows > setup->height_px)
        encoder->strip_rows = setup->height_px;
    encoder->shape.max_rows = encoder->strip_rows;
    encoder->strip_count = strips_at_a_time(setup, encoder->strip_rows);
    return allocate(encoder) == SWIN2SR_OK
               ? image_trap_run(&encoder->base.trap, png_start_step, encoder, reterr)
               : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the PNG");
}
