/* SPDX-License-Identifier: Apache-2.0
 * image/png.c - read and write PNG files with libpng (stages 4 decode and 8 encode of 9).
 * Reads files of any depth, with palettes and interlaced, into 8-bit rows of 1 to 4 channels; writes 8-bit files.
 * Works row by row except for interlaced files. Ancillary chunks other than tRNS are skipped without decompressing
 * them, whatever their size. */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/png_repair.h"

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

/* ---- decode ---- */

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

    decoder->base.is_reduced_16 = png_get_bit_depth(png, info) == 16;
    decoder->is_interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    png_set_expand(png); /* palette to RGB, 1 2 4 bits to 8, tRNS to alpha */
    png_set_scale_16(png);
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
    decoder->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, png_decode_failed, png_warning_ignore,
                                            &decoder->is_out_of_memory, png_allocate, png_release);
    decoder->info = decoder->png != NULL ? png_create_info_struct(decoder->png) : NULL;
    if (decoder->info == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the PNG");
    return image_trap_run(&decoder->base.trap, png_open_step, decoder, reterr);
}

/* ---- encode ---- */

/* Measured on enlarged photos (4 megapixels, one core): level 3 with the filter UP writes 20 MP/s and 0.21 of the raw
 * size. Trying all filters takes twice as long and writes more (0.24); level 6 takes 2.6 times as long for 0.18. */
#define ENCODE_LEVEL 3
#define ENCODE_FILTERS PNG_FILTER_UP
#define ENCODE_BUFFER_BYTES 65536 /* size of an IDAT chunk, each written by one call of the sink */

typedef struct png_encoder {
    image_encoder base;
    png_structp png;
    png_infop info;
    bool is_out_of_memory;
    image_encoder_setup setup;
} png_encoder;

static void png_encode_failed(png_structp png, png_const_charp message) {
    png_encoder *encoder = png_get_error_ptr(png);
    if (encoder->is_out_of_memory)
        image_trap_spring(&encoder->base.trap, SWIN2SR_NOMEM, "not enough memory to write the PNG");
    image_trap_spring(&encoder->base.trap, SWIN2SR_INTERNAL, "the PNG could not be written");
}

static void png_give_bytes(png_structp png, png_bytep bytes, size_t size) {
    png_encoder *encoder = png_get_io_ptr(png);
    if (!encoder->setup.sink(encoder->setup.context, bytes, size))
        image_trap_spring(&encoder->base.trap, SWIN2SR_IO, "the output could not be written");
}

static void png_flush_nothing(png_structp png) {
}

static void png_start_step(void *context) {
    static const int colour_types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                       PNG_COLOR_TYPE_RGB_ALPHA};
    png_encoder *encoder = context;
    const image_encoder_setup *setup = &encoder->setup;
    png_set_write_fn(encoder->png, encoder, png_give_bytes, png_flush_nothing);
    png_set_compression_level(encoder->png, ENCODE_LEVEL);
    png_set_compression_buffer_size(encoder->png, ENCODE_BUFFER_BYTES);
    png_set_filter(encoder->png, PNG_FILTER_TYPE_BASE, ENCODE_FILTERS);
    png_set_IHDR(encoder->png, encoder->info, (png_uint_32)setup->width_px, (png_uint_32)setup->height_px, 8,
                 colour_types[setup->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_set_sRGB(encoder->png, encoder->info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(encoder->png, encoder->info);
}

static void png_write_step(void *context) {
    png_encoder *encoder = context;
    for (int32_t y = 0; y < encoder->base.n; y++)
        png_write_row(encoder->png, encoder->base.rows + (size_t)y * encoder->base.stride_bytes);
}

static void png_finish_step(void *context) {
    png_encoder *encoder = context;
    png_write_end(encoder->png, NULL);
}

static void png_encoder_close(image_encoder *base) {
    png_encoder *encoder = (png_encoder *)base;
    png_destroy_write_struct(&encoder->png, &encoder->info);
    free(encoder);
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
    encoder->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, encoder, png_encode_failed, png_warning_ignore,
                                             &encoder->is_out_of_memory, png_allocate, png_release);
    encoder->info = encoder->png != NULL ? png_create_info_struct(encoder->png) : NULL;
    return encoder->info != NULL ? image_trap_run(&encoder->base.trap, png_start_step, encoder, reterr)
                                 : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the PNG");
}
