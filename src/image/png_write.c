/* SPDX-License-Identifier: Apache-2.0
 * image/png_write.c - write PNG files with libpng, 8 or 16 bits per sample, row by row (stage 8 encode of 9). */
#include <png.h>
#include <stdlib.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/png_memory.h"
#include "image/png_metadata.h"

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
    png_packed packed;
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

static void png_give_chunk(void *context, const char *type, const uint8_t *body, size_t size) {
    png_encoder *encoder = context;
    png_write_chunk(encoder->png, (png_const_bytep)type, body, size);
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
    png_set_IHDR(encoder->png, encoder->info, (png_uint_32)setup->width_px, (png_uint_32)setup->height_px,
                 8 * setup->sample_bytes, colour_types[setup->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    png_write_info(encoder->png, encoder->info);
    png_metadata_write(setup->metadata, &encoder->packed, png_give_chunk, encoder);
    if (setup->sample_bytes == 2 && IS_LITTLE_ENDIAN)
        png_set_swap(encoder->png);
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
    png_packed_done(&encoder->packed);
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
    if (png_metadata_pack(setup->metadata, &encoder->packed) != SWIN2SR_OK)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the PNG");
    encoder->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, encoder, png_encode_failed, png_warning_ignore,
                                             &encoder->is_out_of_memory, png_allocate, png_release);
    encoder->info = encoder->png != NULL ? png_create_info_struct(encoder->png) : NULL;
    return encoder->info != NULL ? image_trap_run(&encoder->base.trap, png_start_step, encoder, reterr)
                                 : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the PNG");
}
