/* SPDX-License-Identifier: Apache-2.0
 * image/jpeg.c - read and write JPEG files with libjpeg's scanline functions (stages 4 and 8 of 9).
 * Reads baseline and progressive files, grey, colour and CMYK, into rows of 1, 3 or 4 channels; writes baseline files.
 * Works row by row, but for a file in several scans the library holds all coefficients (see probe_held_bytes).
 * If a file ends early, the library inserts an end marker and fills missing rows with grey, each with a warning. The
 * second warning is always an error here, the first one only if data may be missing. */
#include <stdio.h> /* jpeglib.h uses size_t and FILE without including it */

#include <jerror.h>
#include <jpeglib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/jpeg_metadata.h"

/* Each scan, however short, makes the library pass over all coefficients. Encoders write about 10 scans. */
#define DECODE_MAX_SCANS 100

#define JPEG_MARKER_BYTES 2

/* Markers of the segments that may follow a scan: tables, scan headers, APPn, comments. */
static const uint8_t jpeg_segments[] = {0xc4, 0xcc, 0xda, 0xdb, 0xdc, 0xdd, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5,
                                        0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef, 0xfe};

/* The callbacks get cinfo->err, so the error manager must be the first member. */
typedef struct jpeg_errors {
    struct jpeg_error_mgr manager;
    image_trap *trap;
    const char *damaged; /* detail for errors that have no detail of their own */
    swin2sr_status damaged_status;
    const char *warning; /* what is damaged, if no rows are missing; NULL: nothing */
    bool is_end_faked;
} jpeg_errors;

static image_trap *jpeg_trap(j_common_ptr cinfo) {
    return ((jpeg_errors *)cinfo->err)->trap;
}

static void jpeg_failed(j_common_ptr cinfo) {
    jpeg_errors *errors = (jpeg_errors *)cinfo->err;
    switch (cinfo->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        image_trap_spring(errors->trap, SWIN2SR_NOMEM, "not enough memory to read the JPEG");
    case JERR_IMAGE_TOO_BIG:
        image_trap_spring(errors->trap, SWIN2SR_TOO_LARGE, "each side of a JPEG may have at most 65500 pixels");
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED:
        image_trap_spring(errors->trap, SWIN2SR_UNSUPPORTED, "a JPEG of this kind cannot be read");
    default:
        image_trap_spring(errors->trap, errors->damaged_status, errors->damaged);
    }
}

/* With arithmetic coding the library cannot tell whether data is missing before the inserted end. */
static void jpeg_end_faked(j_decompress_ptr cinfo) {
    ((jpeg_errors *)cinfo->err)->is_end_faked = true;
    if (cinfo->arith_code && cinfo->output_scanline < cinfo->output_height)
        image_trap_spring(jpeg_trap((j_common_ptr)cinfo), SWIN2SR_CORRUPT, "the JPEG is cut short");
}

static void jpeg_message(j_common_ptr cinfo, int level) {
    jpeg_errors *errors = (jpeg_errors *)cinfo->err;
    if (level >= 0)
        return;
    switch (cinfo->err->msg_code) {
    case JWRN_ADOBE_XFORM: /* unusual, not damaged */
    case JWRN_JFIF_MAJOR:
        return;
    case JWRN_JPEG_EOF:
        jpeg_end_faked((j_decompress_ptr)cinfo);
        return;
    case JWRN_HIT_MARKER:
        image_trap_spring(errors->trap, SWIN2SR_CORRUPT, "the JPEG is cut short");
    default:
        errors->warning = "the JPEG's data is damaged";
    }
}

static void jpeg_print_nothing(j_common_ptr cinfo) {
}

static struct jpeg_error_mgr *jpeg_errors_init(jpeg_errors *errors, image_trap *trap, swin2sr_status status,
                                               const char *damaged) {
    jpeg_std_error(&errors->manager);
    errors->manager.error_exit = jpeg_failed;
    errors->manager.emit_message = jpeg_message;
    errors->manager.output_message = jpeg_print_nothing;
    errors->trap = trap;
    errors->damaged_status = status;
    errors->damaged = damaged;
    return &errors->manager;
}

/* ---- decode ---- */

typedef struct jpeg_decoder {
    image_decoder base;
    jpeg_errors errors;
    struct jpeg_decompress_struct cinfo;
    struct jpeg_progress_mgr progress;
    const uint8_t *data;
    size_t size;
    int components; /* cinfo->num_components changes if a damaged file has a second frame header */
    bool has_scans; /* the file has several scans: all coefficients are held */
    bool is_started;
    uint32_t components_seen; /* bit c: a scan with component c has begun */
} jpeg_decoder;

/* libjpeg calls this while it reads a file in several scans. */
static void jpeg_on_scan(j_common_ptr common) {
    j_decompress_ptr cinfo = (j_decompress_ptr)common;
    jpeg_decoder *decoder = cinfo->client_data;
    if (cinfo->input_scan_number > DECODE_MAX_SCANS)
        image_trap_spring(jpeg_trap(common), SWIN2SR_TOO_LARGE, "the JPEG has more than 100 scans");
    for (int i = 0; i < cinfo->comps_in_scan; i++)
        decoder->components_seen |= 1u << cinfo->cur_comp_info[i]->component_index;
}

/* Whether a file in several scans is complete: every component, and in a progressive file every bit of each
 * coefficient. */
static bool jpeg_has_all_scans(const jpeg_decoder *decoder) {
    const struct jpeg_decompress_struct *cinfo = &decoder->cinfo;
    for (int c = 0; c < decoder->components && cinfo->coef_bits != NULL; c++)
        for (int k = 0; k < DCTSIZE2; k++)
            if (cinfo->coef_bits[c][k] != 0)
                return false;
    return decoder->components_seen == (1u << decoder->components) - 1;
}

/* Start, and read all scans of a file that has several. A progressive file that has its end may omit bits. */
static void jpeg_take_scans_step(void *context) {
    jpeg_decoder *decoder = context;
    jpeg_start_decompress(&decoder->cinfo);
    if (decoder->has_scans && decoder->errors.is_end_faked && !jpeg_has_all_scans(decoder))
        image_trap_spring(&decoder->base.trap, SWIN2SR_CORRUPT, "the JPEG is cut short");
}

static void jpeg_open_step(void *context) {
    jpeg_decoder *decoder = context;
    j_decompress_ptr cinfo = &decoder->cinfo;
    jpeg_create_decompress(cinfo);
    cinfo->progress = &decoder->progress;
    jpeg_mem_src(cinfo, decoder->data, decoder->size);
    jpeg_read_header(cinfo, TRUE);
    if (cinfo->num_components == 1) {
        cinfo->out_color_space = JCS_GRAYSCALE;
    } else if (cinfo->num_components == 3) {
        cinfo->out_color_space = JCS_RGB;
    } else {
        cinfo->out_color_space = JCS_CMYK;
        decoder->base.is_cmyk = true;
    }
    decoder->base.width_px = (int32_t)cinfo->image_width;
    decoder->base.height_px = (int32_t)cinfo->image_height;
    decoder->base.channels = cinfo->num_components == 1 || cinfo->num_components == 3 ? cinfo->num_components : 4;
    decoder->base.sample_bytes = 1;
    decoder->components = cinfo->num_components;
    decoder->has_scans = jpeg_has_multiple_scans(cinfo);
}

/* Whether an end marker follows the scan that begins at at, after any number of further segments.
 * ret_size  If not: the size of the part that is valid JPEG. */
static bool jpeg_has_end(const uint8_t *data, size_t size, size_t at, size_t *ret_size) {
    const uint8_t *marker;
    *ret_size = size;
    while (size - at >= JPEG_MARKER_BYTES && (marker = memchr(data + at, 0xff, size - at - 1)) != NULL) {
        at = (size_t)(marker - data);
        size_t left = size - at - JPEG_MARKER_BYTES, length = left < 2 ? 0 : (size_t)marker[2] << 8 | marker[3];
        if (marker[1] == 0xff) { /* fill */
            at++;
        } else if (marker[1] == 0 || (marker[1] >= JPEG_RST0 && marker[1] <= JPEG_RST0 + 7)) {
            at += JPEG_MARKER_BYTES;
        } else if (marker[1] == JPEG_EOI) {
            return true;
        } else if (memchr(jpeg_segments, marker[1], sizeof(jpeg_segments)) == NULL || length < 2 || length > left) {
            *ret_size = at;
            return false;
        } else {
            at += JPEG_MARKER_BYTES + length;
        }
    }
    return false;
}

/* Files with an Adobe marker store the share of light that an ink lets through, not the share that it absorbs. */
static void jpeg_invert(uint8_t *row, size_t size) {
    for (size_t i = 0; i < size; i++)
        row[i] = (uint8_t)(255 - row[i]);
}

static void jpeg_read_step(void *context) {
    jpeg_decoder *decoder = context;
    j_decompress_ptr cinfo = &decoder->cinfo;
    for (int32_t y = 0; y < decoder->base.n; y++) {
        JSAMPROW row = decoder->base.rows + (size_t)y * decoder->base.stride_bytes;
        jpeg_read_scanlines(cinfo, &row, 1);
        if (decoder->base.is_cmyk && cinfo->saw_Adobe_marker)
            jpeg_invert(row, (size_t)decoder->base.width_px * 4);
    }
}

/* Read all rows and discard them. */
static void jpeg_try_step(void *context) {
    jpeg_decoder *decoder = context;
    j_decompress_ptr cinfo = &decoder->cinfo;
    jpeg_take_scans_step(decoder);
    JSAMPROW row = cinfo->mem->alloc_large((j_common_ptr)cinfo, JPOOL_IMAGE,
                                           (size_t)cinfo->output_width * (size_t)cinfo->output_components);
    while (cinfo->output_scanline < cinfo->output_height)
        jpeg_read_scanlines(cinfo, &row, 1);
}

static void jpeg_end_step(void *context) {
    jpeg_decoder *decoder = context;
    jpeg_finish_decompress(&decoder->cinfo);
}

static swin2sr_status jpeg_decoder_read(image_decoder *base, swin2sr_error *reterr) {
    jpeg_decoder *decoder = (jpeg_decoder *)base;
    image_trap *trap = &decoder->base.trap;
    swin2sr_status status = SWIN2SR_OK;
    if (!decoder->is_started)
        status = image_trap_run(trap, jpeg_take_scans_step, decoder, reterr);
    decoder->is_started = true;
    if (status == SWIN2SR_OK)
        status = image_trap_run(trap, jpeg_read_step, decoder, reterr);
    if (status == SWIN2SR_OK && decoder->cinfo.output_scanline == decoder->cinfo.output_height &&
        image_trap_run(trap, jpeg_end_step, decoder, NULL) != SWIN2SR_OK)
        decoder->errors.warning = "the JPEG is damaged after its last row";
    if (base->damage == NULL)
        base->damage = decoder->errors.warning;
    return status;
}

static void jpeg_decoder_close(image_decoder *base) {
    jpeg_decoder *decoder = (jpeg_decoder *)base;
    jpeg_destroy_decompress(&decoder->cinfo);
    free(decoder);
}

static swin2sr_status jpeg_open(jpeg_decoder *decoder) {
    jpeg_destroy_decompress(&decoder->cinfo); /* no effect the first time */
    decoder->errors.is_end_faked = false;
    decoder->components_seen = 0;
    return image_trap_run(&decoder->base.trap, jpeg_open_step, decoder, NULL);
}

/* Open the file. If its end is missing, read it once up to the last valid segment to check that no row is missing. */
static swin2sr_status jpeg_open_checked(jpeg_decoder *decoder) {
    swin2sr_status status = jpeg_open(decoder);
    if (status != SWIN2SR_OK)
        return status;
    size_t scan_at = decoder->size - decoder->cinfo.src->bytes_in_buffer;
    if (jpeg_has_end(decoder->data, decoder->size, scan_at, &decoder->size))
        return SWIN2SR_OK;
    decoder->base.damage = "the JPEG has no end marker";
    status = jpeg_open(decoder);
    if (status == SWIN2SR_OK)
        status = image_trap_run(&decoder->base.trap, jpeg_try_step, decoder, NULL);
    return status == SWIN2SR_OK ? jpeg_open(decoder) : status;
}

swin2sr_status image_jpeg_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                       swin2sr_error *reterr) {
    jpeg_decoder *decoder = calloc(1, sizeof(*decoder));
    if (decoder == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the JPEG");
    decoder->base.read = jpeg_decoder_read;
    decoder->base.close = jpeg_decoder_close;
    *ret_decoder = &decoder->base;
    decoder->cinfo.err =
        jpeg_errors_init(&decoder->errors, &decoder->base.trap, SWIN2SR_CORRUPT, "the JPEG is damaged");
    decoder->cinfo.client_data = decoder;
    decoder->progress.progress_monitor = jpeg_on_scan;
    decoder->data = data;
    decoder->size = size;
    swin2sr_status status = jpeg_open_checked(decoder);
    if (status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, status, "%s", decoder->base.trap.detail);
    if (jpeg_metadata_read(data, size, &decoder->base) != SWIN2SR_OK)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the JPEG");
    return SWIN2SR_OK;
}

/* ---- encode ---- */

#define ENCODE_BUFFER_BYTES 65536
#define ENCODE_FULL_COLOUR_ABOVE 90 /* above this quality, colour is stored at full resolution (4:4:4) */

typedef struct jpeg_encoder {
    image_encoder base;
    jpeg_errors errors;
    struct jpeg_compress_struct cinfo;
    struct jpeg_destination_mgr destination;
    image_encoder_setup setup;
    uint8_t buffer[ENCODE_BUFFER_BYTES];
} jpeg_encoder;

static void jpeg_give_bytes(jpeg_encoder *encoder, size_t size) {
    if (size > 0 && !encoder->setup.sink(encoder->setup.context, encoder->buffer, size))
        image_trap_spring(&encoder->base.trap, SWIN2SR_IO, "the output could not be written");
    encoder->destination.next_output_byte = encoder->buffer;
    encoder->destination.free_in_buffer = ENCODE_BUFFER_BYTES;
}

static void jpeg_init_destination(j_compress_ptr cinfo) {
    jpeg_give_bytes(cinfo->client_data, 0);
}

/* Called when the buffer is full; free_in_buffer need not be up to date then. */
static boolean jpeg_empty_buffer(j_compress_ptr cinfo) {
    jpeg_give_bytes(cinfo->client_data, ENCODE_BUFFER_BYTES);
    return TRUE;
}

static void jpeg_term_destination(j_compress_ptr cinfo) {
    jpeg_encoder *encoder = cinfo->client_data;
    jpeg_give_bytes(encoder, ENCODE_BUFFER_BYTES - encoder->destination.free_in_buffer);
}

static void jpeg_give_segment(void *context, int marker, const char *head, size_t head_bytes, const uint8_t *body,
                              size_t size) {
    j_compress_ptr cinfo = &((jpeg_encoder *)context)->cinfo;
    jpeg_write_m_header(cinfo, marker, (unsigned)(head_bytes + size));
    for (size_t i = 0; i < head_bytes; i++)
        jpeg_write_m_byte(cinfo, (uint8_t)head[i]);
    for (size_t i = 0; i < size; i++)
        jpeg_write_m_byte(cinfo, body[i]);
}

/* Without a resolution libjpeg writes square pixels of no size. */
static void jpeg_set_resolution(j_compress_ptr cinfo, const image_metadata *metadata) {
    uint16_t x = jpeg_metadata_dpi(metadata->x_per_metre), y = jpeg_metadata_dpi(metadata->y_per_metre);
    if (x == 0 || y == 0)
        return;
    cinfo->density_unit = 1; /* per inch */
    cinfo->X_density = x;
    cinfo->Y_density = y;
}

static void jpeg_start_step(void *context) {
    jpeg_encoder *encoder = context;
    j_compress_ptr cinfo = &encoder->cinfo;
    jpeg_create_compress(cinfo);
    cinfo->client_data = encoder;
    cinfo->dest = &encoder->destination;
    cinfo->image_width = (JDIMENSION)encoder->setup.width_px;
    cinfo->image_height = (JDIMENSION)encoder->setup.height_px;
    cinfo->input_components = encoder->setup.channels;
    cinfo->in_color_space = encoder->setup.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(cinfo); /* baseline, 4:2:0, fixed Huffman tables: the file streams */
    jpeg_set_quality(cinfo, encoder->setup.quality, TRUE);
    if (encoder->setup.quality > ENCODE_FULL_COLOUR_ABOVE)
        cinfo->comp_info[0].h_samp_factor = cinfo->comp_info[0].v_samp_factor = 1;
    jpeg_set_resolution(cinfo, encoder->setup.metadata);
    jpeg_start_compress(cinfo, TRUE);
    encoder->base.notes = jpeg_metadata_write(encoder->setup.metadata, jpeg_give_segment, encoder);
}

static void jpeg_write_step(void *context) {
    jpeg_encoder *encoder = context;
    for (int32_t y = 0; y < encoder->base.n; y++) {
        JSAMPROW row = (JSAMPROW)encoder->base.rows + (size_t)y * encoder->base.stride_bytes; /* not written to */
        jpeg_write_scanlines(&encoder->cinfo, &row, 1);
    }
}

static void jpeg_finish_step(void *context) {
    jpeg_encoder *encoder = context;
    jpeg_finish_compress(&encoder->cinfo);
}

static void jpeg_encoder_close(image_encoder *base) {
    jpeg_encoder *encoder = (jpeg_encoder *)base;
    jpeg_destroy_compress(&encoder->cinfo);
    free(encoder);
}

swin2sr_status image_jpeg_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                       swin2sr_error *reterr) {
    jpeg_encoder *encoder = calloc(1, sizeof(*encoder));
    if (encoder == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the JPEG");
    encoder->base.write = jpeg_write_step;
    encoder->base.finish = jpeg_finish_step;
    encoder->base.close = jpeg_encoder_close;
    *ret_encoder = &encoder->base;
    encoder->cinfo.err =
        jpeg_errors_init(&encoder->errors, &encoder->base.trap, SWIN2SR_INTERNAL, "the JPEG could not be written");
    encoder->destination.init_destination = jpeg_init_destination;
    encoder->destination.empty_output_buffer = jpeg_empty_buffer;
    encoder->destination.term_destination = jpeg_term_destination;
    encoder->setup = *setup;
    return image_trap_run(&encoder->base.trap, jpeg_start_step, encoder, reterr);
}
