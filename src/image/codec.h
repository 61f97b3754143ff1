/* SPDX-License-Identifier: Apache-2.0
 * image/codec.h - the interface between image.c and the codecs, one or two files for each format.
 * A decoder delivers rows as they are stored (image.c applies the orientation); an encoder takes rows.
 * image.c counts the rows and never calls a codec again after a failure. */
#pragma once

#include <setjmp.h>

#include "image/image.h"

/* The only setjmp of the project, because libpng and libjpeg report failures by longjmp. A codec calls the library in
 * functions called steps. A step owns nothing: what must survive a jump is kept in the codec's struct and freed by its
 * close. */
typedef struct image_trap {
    jmp_buf jump;
    swin2sr_status status;
    const char *detail; /* constant text that may be shown to clients */
} image_trap;

/* Run step(context). If it springs the trap, return the status given there and fill reterr. */
swin2sr_status image_trap_run(image_trap *trap, void (*step)(void *context), void *context, swin2sr_error *reterr);

/* Leave the running step. May be called only within image_trap_run. */
void image_trap_spring(image_trap *trap, swin2sr_status status, const char *detail) __attribute__((noreturn));

#define IMAGE_HELD_MAX 3

typedef struct image_decoder image_decoder;
struct image_decoder {
    image_trap trap;
    int32_t width_px, height_px; /* as stored; image.c compares them with the probe */
    int32_t channels;            /* of the rows: 1 to 4, as in image_info; alpha is not multiplied into the colours */
    int32_t sample_bytes;        /* of the rows: 1 or 2, as in image_info */
    bool is_cmyk;                /* the 4 channels are inks, 0: none; image.c makes RGB of them */
    uint32_t notes;              /* may be completed as late as the last row */
    image_metadata metadata;     /* set by open; blocks live until close */
    void *held[IMAGE_HELD_MAX];  /* memory of blocks that image.c frees after close; NULL: unused */
    /* Constant text: what is wrong with a file whose rows can all be read; NULL: nothing so far. If the end of the file
     * is missing, open sets it, and has checked that all rows are there. */
    const char *damage;
    /* What image.c asks for. */
    uint8_t *rows;
    size_t stride_bytes;
    int32_t n;
    /* Read the next n rows; of an interlaced file, all rows in one call. _CORRUPT if rows are missing. The call that
     * reads the last row also reads the end of the file; an error there sets damage and is no failure. */
    swin2sr_status (*read)(image_decoder *decoder, swin2sr_error *reterr);
    void (*close)(image_decoder *decoder);
};

typedef struct image_encoder image_encoder;
struct image_encoder {
    image_trap trap;
    /* The rows that write takes. image.c runs write and finish as steps of the trap. */
    const uint8_t *rows;
    size_t stride_bytes;
    int32_t n;
    uint32_t notes; /* which metadata the file does not hold; complete after finish */
    void (*write)(void *encoder);
    void (*finish)(void *encoder);
    void (*close)(image_encoder *encoder);
};

/* What an encoder needs to know. quality is 1..100: the default has been filled in. */
typedef struct image_encoder_setup {
    int32_t width_px, height_px;
    int32_t channels;
    int32_t sample_bytes; /* 1 or 2 */
    int32_t quality;
    const image_metadata *metadata; /* never NULL; lives until close */
    format_compression compression;
    swin2sr_threads *threads; /* idle during each call, and may be used by it; NULL: there are none */
    image_sink sink;
    void *context;
} image_encoder_setup;

/* The notes of an encoder that writes these kinds of metadata and no others. */
static inline uint32_t image_encoder_notes(const image_metadata *metadata, bool has_icc, bool has_exif, bool has_xmp,
                                           bool has_resolution) {
    bool has_colour = metadata->cicp[0] > 0 || metadata->gamma > 0 || metadata->chromaticities[0] > 0;
    bool is_colour_lost = metadata->icc.data ? !has_icc : has_colour;
    return (is_colour_lost ? NOTE_PROFILE_DROPPED : 0) | (metadata->exif.data && !has_exif ? NOTE_EXIF_DROPPED : 0) |
           (metadata->xmp.data && !has_xmp ? NOTE_XMP_DROPPED : 0) |
           (metadata->x_per_metre > 0 && !has_resolution ? NOTE_RESOLUTION_DROPPED : 0);
}

/* Make a reader or a writer of an open codec that is of no file. The codec is taken over, and closed if there is no memory.
 * ret_reader, ret_writer  The caller's (image_reader_close, image_writer_close). Untouched on failure. */
swin2sr_status image_reader_take(image_decoder *decoder, image_reader **ret_reader, swin2sr_error *reterr);
swin2sr_status image_writer_take(image_encoder *encoder, int32_t height_px, image_writer **ret_writer,
                                 swin2sr_error *reterr);

/* Open a codec. Even if that fails, image.c closes what was handed over. */
swin2sr_status image_png_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                      swin2sr_error *reterr);
swin2sr_status image_png_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                      swin2sr_error *reterr);
swin2sr_status image_jpeg_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                       swin2sr_error *reterr);
swin2sr_status image_jpeg_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                       swin2sr_error *reterr);
swin2sr_status image_webp_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                       swin2sr_error *reterr);
swin2sr_status image_webp_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                       swin2sr_error *reterr);
swin2sr_status image_gif_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                      swin2sr_error *reterr);
swin2sr_status image_gif_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                      swin2sr_error *reterr);
swin2sr_status image_tiff_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                       swin2sr_error *reterr);
swin2sr_status image_tiff_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                       swin2sr_error *reterr);
