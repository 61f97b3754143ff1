/* SPDX-License-Identifier: Apache-2.0
 * image/png_read.c - read PNG files with libpng (stage 4 decode of 9).
 * Reads files of any depth, with palettes and interlaced, into rows of 1 to 4 channels, 8 or 16 bits each. Works row by
 * row except for interlaced files. libpng skips ancillary chunks other than tRNS without decompressing them, whatever
 * their size: png_metadata.c reads those that count. */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/png_metadata.h"
#include "image/png_repair.h"

#define IS_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

static void png_warning_ignore(png_structp png, png_const_charp message) {
}

/* libpng reports a failed allocation as it reports damage; this flag distinguishes them. */
static png_voidp png_allocate(png_structp png, png_alloc_size_t size) {
    void *memory = malloc(size);
    bool *is_out_of_memory = png_get_mem_ptr(png);
    if (memory == NULL)
        *is_out_of_memory = true;
    return memory;
}

static void png_release(png_structp png, png_voidp memory) {
    free(memory);
}

typedef struct png_decoder {
    image_decoder base;
    png_structp png;
    png_infop info;
    bool is_out_of_memory, is_interlaced;
    png_repair *repair; /* if the end of the file is missing, else NULL */
    int32_t rows_read;
    const uint8_t *data;
    size_t size, at;
} png_decoder;

static void png_decode_failed(png_structp png, png_const_charp message) {
    png_decoder *decoder = png_get_error_ptr(png);
    if (decoder->is_out_of_memory)
        image_trap_spring(&decoder->base.trap, SWIN2SR_NOMEM, "not enough memory to read the PNG");
    image_trap_spring(&decoder->base.trap, SWIN2SR_CORRUPT, "the PNG is damaged");
}

static void png_take_bytes(png_structp png, png_bytep bytes, size_t size) {
    png_decoder *decoder = png_get_io_ptr(png);
    size_t there = size < decoder->size - decoder->at ? size : decoder->size - decoder->at;
    if (decoder->repair != NULL)
        there = png_repair_read(decoder->repair, bytes, size);
    else
        memcpy(bytes, decoder->data + decoder->at, there);
    decoder->at += there;
    if (there < size)
        image_trap_spring(&decoder->base.trap, SWIN2SR_CORRUPT, "the PNG is cut short");
}

static void png_open_step(void *context) {
    png_decoder *decoder = context;
    png_structp png = decoder->png;
    png_infop info = decoder->info;
    png_set_read_fn(png, decoder, png_take_bytes);
    png_set_user_limits(png, IMAGE_MAX_SIDE_PX, IMAGE_MAX_SIDE_PX);
    png_set_chunk_malloc_max(png, 0); /* no limit: they are skipped, but for PLTE and tRNS, which are small */
    png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW,
                   PNG_OPTION_ON); /* whatever the file says: some optimisers wrote too small a window */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* -1: also known ancillary ones but tRNS */
    png_read_info(png, info);

    decoder->base.sample_bytes = png_get_bit_depth(png, info) == 16 ? 2 : 1;
    decoder->is_interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    png_set_expand(png); /* palette to RGB, 1 2 4 bits to 8, tRNS to alpha */
    if (IS_LITTLE_ENDIAN)
        png_set_swap(png); /* 16-bit samples are big-endian in the file */
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    decoder->base.width_px = (int32_t)png_get_image_width(png, info);
    decoder->base.height_px = (int32_t)png_get_image_height(png, info);
    decoder->base.channels = png_get_channels(png, info);
}

static void png_read_step(void *context) {
    png_decoder *decoder = context;
    int passes = decoder->is_interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1;
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < decoder->base.n; y++)
            png_read_row(decoder->png, decoder->base.rows + (size_t)y * decoder->base.stride_bytes, NULL);
}

static void png_end_step(void *context) {
    png_decoder *decoder = context;
    png_read_end(decoder->png, NULL);
}

static swin2sr_status png_decoder_read(image_decoder *base, swin2sr_error *reterr) {
    png_decoder *decoder = (png_decoder *)base;
    swin2sr_status status = image_trap_run(&decoder->base.trap, png_read_step, decoder, reterr);
    decoder->rows_read += base->n;
    if (status == SWIN2SR_OK && decoder->rows_read == base->height_px &&
        image_trap_run(&decoder->base.trap, png_end_step, decoder, NULL) != SWIN2SR_OK)
        base->damage = "the PNG is damaged after its last row";
    return status;
}

static void png_decoder_close(image_decoder *base) {
    png_decoder *decoder = (png_decoder *)base;
    png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
    png_repair_close(decoder->repair);
    free(decoder);
}

swin2sr_status image_png_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                      swin2sr_error *reterr) {
    png_decoder *decoder = calloc(1, sizeof(*decoder));
    if (decoder == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the PNG");
    decoder->base.read = png_decoder_read;
    decoder->base.close = png_decoder_close;
    *ret_decoder = &decoder->base;
    decoder->data = data;
    decoder->size = size;
    if (!png_has_end(data, size)) {
        decoder->base.damage = "the PNG has no valid IEND chunk at its end";
        swin2sr_status status = png_repair_open(data, size, &decoder->repair);
        if (status == SWIN2SR_CORRUPT)
            return swin2sr__error_set(reterr, status, "the PNG is cut short");
        if (status != SWIN2SR_OK)
            return swin2sr__error_set(reterr, status, "not enough memory to read the PNG");
    }
    if (png_metadata_read(data, size, &decoder->base) != SWIN2SR_OK)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the PNG");
    decoder->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, png_decode_failed, png_warning_ignore,
                                            &decoder->is_out_of_memory, png_allocate, png_release);
    decoder->info = decoder->png != NULL ? png_create_info_struct(decoder->png) : NULL;
    if (decoder->info == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the PNG");
    return image_trap_run(&decoder->base.trap, png_open_step, decoder, reterr);
}
