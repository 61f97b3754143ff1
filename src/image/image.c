/* SPDX-License-Identifier: Apache-2.0
 * image/image.c - readers and writers of image files: limits, orientation, row counts (stages 4 and 8 of 9).
 * Images with orientation 1 or 2 are read strip by strip. Interlaced files and those with orientation 3 to 8 are read
 * whole by the first call of image_reader_read. */
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/colour.h"

/* ---- reader ---- */

/* How to turn the stored picture upright, by EXIF orientation: swap the axes, then mirror. */
typedef struct image_turn {
    bool is_swapped, is_mirrored_x, is_mirrored_y;
} image_turn;

static const image_turn turns[9] = {
    [1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
    [5] = {true, false, false},  [6] = {true, false, true},  [7] = {true, true, true},  [8] = {true, true, false},
};

#define ICC_HEADER_BYTES 128

struct image_reader {
    image_info info;
    image_metadata metadata; /* of the rows that are delivered */
    image_decoder *decoder;
    image_colour *colour; /* converts the decoder's rows; NULL: they are delivered as they are */
    uint8_t *stored_row;  /* with colour: a row of the decoder's */
    image_turn turn;
    bool is_buffered, is_strict;
    uint8_t *picture; /* as stored; NULL before the first read, and always if the rows are read strip by strip */
    int32_t rows_read;
    swin2sr_status status; /* the first failure; nothing more is read after it */
};

/* By format_id. Only formats that probe_bytes recognises are looked up. */
static const struct {
    swin2sr_status (*open_decoder)(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                   swin2sr_error *reterr);
    swin2sr_status (*open_encoder)(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                   swin2sr_error *reterr);
} codecs[FORMAT_COUNT] = {
    [FORMAT_PNG] = {image_png_decoder_open, image_png_encoder_open},
    [FORMAT_JPEG] = {image_jpeg_decoder_open, image_jpeg_encoder_open},
    [FORMAT_WEBP] = {image_webp_decoder_open, image_webp_encoder_open},
    [FORMAT_GIF] = {image_gif_decoder_open, image_gif_encoder_open},
    [FORMAT_TIFF] = {image_tiff_decoder_open, image_tiff_encoder_open},
};

static swin2sr_status check_probe(const probe_info *probe, const image_limits *limits, swin2sr_error *reterr) {
    uint64_t max_pixels = limits != NULL && limits->pixels > 0 ? limits->pixels : IMAGE_DEFAULT_PIXELS;
    int32_t max_side_px = IMAGE_MAX_SIDE_PX;
    if (limits != NULL && limits->side_px > 0 && limits->side_px < max_side_px)
        max_side_px = limits->side_px;
    if (probe->width_px > max_side_px || probe->height_px > max_side_px)
        return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE,
                                  "the image has %d x %d pixels; each side may have at most %d", probe->width_px,
                                  probe->height_px, max_side_px);
    if ((uint64_t)probe->width_px * (uint64_t)probe->height_px > max_pixels)
        return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE, "the image has %d x %d pixels; at most %llu are allowed",
                                  probe->width_px, probe->height_px, (unsigned long long)max_pixels);
    return SWIN2SR_OK;
}

/* Fill in the reader. Its limits were checked against the probe, so the decoder must find the same size. */
static swin2sr_status describe(image_reader *reader, const probe_info *probe, swin2sr_error *reterr) {
    const image_decoder *decoder = reader->decoder;
    uint64_t held_bytes = probe_held_bytes(probe);
    if (decoder->width_px != probe->width_px || decoder->height_px != probe->height_px)
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the image's header is damaged: it gives two sizes");
    if (held_bytes > SIZE_MAX)
        return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE, "the image is too large for this machine");
    reader->turn = turns[probe->orientation];
    reader->is_buffered = probe_is_held_whole(probe);
    reader->info = (image_info){
        .format = probe->format,
        .width_px = reader->turn.is_swapped ? decoder->height_px : decoder->width_px,
        .height_px = reader->turn.is_swapped ? decoder->width_px : decoder->height_px,
        .channels = decoder->is_cmyk ? 3 : decoder->channels,
        .sample_bytes = decoder->sample_bytes,
        .notes = decoder->notes | (probe->frames > 1 ? NOTE_FIRST_FRAME : 0),
        .memory_bytes = (size_t)held_bytes,
    };
    return SWIN2SR_OK;
}

/* The colour space that a profile is for, at its place in the header (ICC.1, 7.2); NULL: these bytes are no profile. */
static const char *profile_space(const image_block *icc) {
    if (icc->size < ICC_HEADER_BYTES || memcmp(icc->data + 36, "acsp", 4) != 0)
        return NULL;
    return (const char *)icc->data + 16;
}

/* A profile counts only if it is for the kind of colour that the file has. */
static void check_profile(image_reader *reader) {
    image_decoder *decoder = reader->decoder;
    if (decoder->metadata.icc.data == NULL)
        return;
    const char *space = profile_space(&decoder->metadata.icc);
    const char *expected = decoder->is_cmyk ? "CMYK" : decoder->channels < 3 ? "GRAY" : "RGB ";
    if (space != NULL && memcmp(space, expected, 4) == 0)
        return;
    decoder->metadata.icc = (image_block){NULL, 0};
    reader->info.notes |= NOTE_PROFILE_DROPPED;
}

/* The metadata of the rows that are delivered; colours that are not kept have become sRGB. */
static void take_metadata(image_reader *reader, bool is_srgb) {
    image_metadata *metadata = &reader->metadata;
    *metadata = reader->decoder->metadata;
    if (!is_srgb)
        return;
    metadata->icc = (image_block){NULL, 0};
    memset(metadata->cicp, 0, sizeof(metadata->cicp));
    memset(metadata->chromaticities, 0, sizeof(metadata->chromaticities));
    metadata->gamma = 0;
}

static size_t stored_pixel_bytes(const image_reader *reader) {
    return (size_t)(reader->decoder->channels * reader->decoder->sample_bytes);
}

static swin2sr_status open_colour(image_reader *reader, bool to_srgb, swin2sr_error *reterr) {
    check_profile(reader);
    swin2sr_status status = image_colour_open(reader->decoder, to_srgb, &reader->colour, &reader->info.notes, reterr);
    bool is_srgb = reader->colour != NULL || (to_srgb && !image_colour_is_special(&reader->decoder->metadata));
    take_metadata(reader, is_srgb);
    if (status != SWIN2SR_OK || reader->colour == NULL)
        return status;
    reader->stored_row = malloc((size_t)reader->info.width_px * stored_pixel_bytes(reader));
    return reader->stored_row != NULL
               ? SWIN2SR_OK
               : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the image");
}

static swin2sr_status check_damage(image_reader *reader, swin2sr_error *reterr) {
    reader->info.damage = reader->decoder->damage;
    if (reader->info.damage == NULL || !reader->is_strict)
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "%s", reader->info.damage);
}

swin2sr_status image_reader_open(const void *data, size_t size, const image_limits *limits, image_reader **ret_reader,
                                 swin2sr_error *reterr) {
    probe_info probe;
    swin2sr_status status = probe_bytes(data, size, &probe, reterr);
    if (status == SWIN2SR_OK)
        status = check_probe(&probe, limits, reterr);
    if (status != SWIN2SR_OK)
        return status;
    image_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the image");
    reader->is_strict = limits != NULL && limits->is_strict;
    status = codecs[probe.format].open_decoder(data, size, &reader->decoder, reterr);
    if (status == SWIN2SR_OK)
        status = describe(reader, &probe, reterr);
    if (status == SWIN2SR_OK)
        status = open_colour(reader, limits != NULL && limits->to_srgb, reterr);
    if (status == SWIN2SR_OK)
        status = check_damage(reader, reterr);
    if (status == SWIN2SR_OK)
        *ret_reader = reader;
    else
        image_reader_close(reader);
    return status;
}

swin2sr_status image_reader_take(image_decoder *decoder, image_reader **ret_reader, swin2sr_error *reterr) {
    image_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        decoder->close(decoder);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the image");
    }
    reader->decoder = decoder;
    reader->info = (image_info){.width_px = decoder->width_px,
                                .height_px = decoder->height_px,
                                .channels = decoder->channels,
                                .sample_bytes = decoder->sample_bytes};
    *ret_reader = reader;
    return SWIN2SR_OK;
}

const image_info *image_reader_info(const image_reader *reader) {
    return &reader->info;
}

const image_metadata *image_reader_metadata(const image_reader *reader) {
    return &reader->metadata;
}

/* Copy row y of the upright picture. */
static void turn_row(const image_reader *reader, int32_t y, uint8_t *row) {
    const image_decoder *decoder = reader->decoder;
    ptrdiff_t pixel_bytes = (ptrdiff_t)stored_pixel_bytes(reader), row_bytes = pixel_bytes * decoder->width_px;
    int32_t last_x = decoder->width_px - 1, last_y = decoder->height_px - 1;
    const image_turn *turn = &reader->turn;
    /* where pixel (0, y) is stored, and the step from there to the pixel on its right */
    int32_t stored_x = turn->is_swapped ? y : 0, stored_y = turn->is_swapped ? 0 : y;
    if (turn->is_mirrored_x)
        stored_x = last_x - stored_x;
    if (turn->is_mirrored_y)
        stored_y = last_y - stored_y;
    ptrdiff_t step = turn->is_swapped ? row_bytes : pixel_bytes;
    if (turn->is_swapped ? turn->is_mirrored_y : turn->is_mirrored_x)
        step = -step;
    const uint8_t *stored = reader->picture + stored_y * row_bytes + stored_x * pixel_bytes;
    for (int32_t x = 0; x < reader->info.width_px; x++, stored += step)
        for (ptrdiff_t i = 0; i < pixel_bytes; i++)
            *row++ = stored[i];
}

static swin2sr_status decode(image_decoder *decoder, uint8_t *rows, size_t stride_bytes, int32_t n,
                             swin2sr_error *reterr) {
    decoder->rows = rows;
    decoder->stride_bytes = stride_bytes;
    decoder->n = n;
    return decoder->read(decoder, reterr);
}

static swin2sr_status read_picture(image_reader *reader, swin2sr_error *reterr) {
    image_decoder *decoder = reader->decoder;
    size_t row_bytes = (size_t)decoder->width_px * stored_pixel_bytes(reader);
    reader->picture = malloc(row_bytes * (size_t)decoder->height_px);
    if (reader->picture == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to hold the image");
    return decode(decoder, reader->picture, row_bytes, decoder->height_px, reterr);
}

static void mirror_row(uint8_t *row, int32_t width_px, size_t pixel_bytes) {
    uint8_t *left = row, *right = row + (size_t)(width_px - 1) * pixel_bytes;
    for (; left < right; left += pixel_bytes, right -= pixel_bytes)
        for (size_t i = 0; i < pixel_bytes; i++) {
            uint8_t byte = left[i];
            left[i] = right[i];
            right[i] = byte;
        }
}

/* Read the next n rows in the decoder's channels, upright. y: the first of them. */
static swin2sr_status read_stored(image_reader *reader, int32_t y, uint8_t *rows, size_t stride_bytes, int32_t n,
                                  swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    if (!reader->is_buffered)
        status = decode(reader->decoder, rows, stride_bytes, n, reterr);
    else if (reader->picture == NULL)
        status = read_picture(reader, reterr);
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++) {
        uint8_t *row = rows + (size_t)i * stride_bytes;
        if (reader->is_buffered)
            turn_row(reader, y + i, row);
        else if (reader->turn.is_mirrored_x)
            mirror_row(row, reader->info.width_px, stored_pixel_bytes(reader));
    }
    return status;
}

static swin2sr_status read_rows(image_reader *reader, uint8_t *rows, size_t stride_bytes, int32_t n,
                                swin2sr_error *reterr) {
    if (reader->colour == NULL)
        return read_stored(reader, reader->rows_read, rows, stride_bytes, n, reterr);
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++) {
        status = read_stored(reader, reader->rows_read + i, reader->stored_row, 0, 1, reterr);
        if (status == SWIN2SR_OK)
            image_colour_apply(reader->colour, reader->stored_row, rows + (size_t)i * stride_bytes,
                               reader->info.width_px);
    }
    return status;
}

swin2sr_status image_reader_read(image_reader *reader, void *rows, size_t stride_bytes, int32_t n,
                                 swin2sr_error *reterr) {
    if (reader->status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, reader->status, "an earlier read of this image failed");
    if (n < 0 || n > reader->info.height_px - reader->rows_read)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the image has only %d rows", reader->info.height_px);
    if (n == 0)
        return SWIN2SR_OK;
    reader->status = read_rows(reader, rows, stride_bytes, n, reterr);
    reader->rows_read += n;
    reader->info.notes |= reader->decoder->notes;
    if (reader->status == SWIN2SR_OK)
        reader->status = check_damage(reader, reterr);
    return reader->status;
}

void image_reader_close(image_reader *reader) {
    if (reader == NULL)
        return;
    void *held[IMAGE_HELD_MAX] = {NULL};
    if (reader->decoder != NULL) {
        memcpy(held, reader->decoder->held, sizeof(held));
        reader->decoder->close(reader->decoder);
    }
    for (int i = 0; i < IMAGE_HELD_MAX; i++)
        free(held[i]);
    image_colour_close(reader->colour);
    free(reader->stored_row);
    free(reader->picture);
    free(reader);
}

/* ---- writer ---- */

#define DEFAULT_QUALITY 95

struct image_writer {
    image_encoder *encoder;
    int32_t height_px;
    int32_t rows_written;
    swin2sr_status status; /* the first failure; nothing more is written after it */
};

swin2sr_status image_writer_open(const image_writer_options *options, int32_t width_px, int32_t height_px,
                                 int32_t channels, image_sink sink, void *context, image_writer **ret_writer,
                                 swin2sr_error *reterr) {
    const format_info *format = format_get(options->format);
    if (!format->can_write)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "format %d cannot be written", (int)options->format);
    if (options->sample_bytes < 0 || options->sample_bytes > (format->has_16 ? 2 : 1))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "a %s image cannot have samples of %d bytes", format->name,
                                  (int)options->sample_bytes);
    if (options->quality < 0 || options->quality > 100)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "quality %d: must be 1..100", (int)options->quality);
    if (width_px < 1 || height_px < 1 || channels < 1 || channels > 4 ||
        !(format->channels & FORMAT_CHANNELS(channels)))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "a %s image cannot be %d x %d with %d channels",
                                  format->name, width_px, height_px, channels);
    if (width_px > format->max_side_px || height_px > format->max_side_px)
        return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE,
                                  "the result would have %d x %d pixels; each side of a %s image may have at most %d",
                                  width_px, height_px, format->name, format->max_side_px);
    static const image_metadata no_metadata;
    image_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the image");
    image_encoder_setup setup = {
        .width_px = width_px,
        .height_px = height_px,
        .channels = channels,
        .sample_bytes = options->sample_bytes == 2 ? 2 : 1,
        .metadata = options->metadata != NULL ? options->metadata : &no_metadata,
        .quality = options->quality == 0 ? DEFAULT_QUALITY : options->quality,
        .compression = options->compression,
        .threads = options->threads,
        .sink = sink,
        .context = context,
    };
    writer->height_px = height_px;
    swin2sr_status status = codecs[options->format].open_encoder(&setup, &writer->encoder, reterr);
    if (status == SWIN2SR_OK)
        *ret_writer = writer;
    else
        image_writer_close(writer);
    return status;
}

swin2sr_status image_writer_take(image_encoder *encoder, int32_t height_px, image_writer **ret_writer,
                                 swin2sr_error *reterr) {
    image_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        encoder->close(encoder);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the image");
    }
    writer->encoder = encoder;
    writer->height_px = height_px;
    *ret_writer = writer;
    return SWIN2SR_OK;
}

swin2sr_status image_writer_write(image_writer *writer, const void *rows, size_t stride_bytes, int32_t n,
                                  swin2sr_error *reterr) {
    if (writer->status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, writer->status, "an earlier write of this image failed");
    if (n < 0 || n > writer->height_px - writer->rows_written)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the image has only %d rows", writer->height_px);
    writer->encoder->rows = rows;
    writer->encoder->stride_bytes = stride_bytes;
    writer->encoder->n = n;
    writer->status = image_trap_run(&writer->encoder->trap, writer->encoder->write, writer->encoder, reterr);
    writer->rows_written += n;
    return writer->status;
}

swin2sr_status image_writer_finish(image_writer *writer, swin2sr_error *reterr) {
    if (writer->status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, writer->status, "an earlier write of this image failed");
    if (writer->rows_written != writer->height_px)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "only %d of %d rows have been written", writer->rows_written,
                                  writer->height_px);
    writer->status = image_trap_run(&writer->encoder->trap, writer->encoder->finish, writer->encoder, reterr);
    return writer->status;
}

uint32_t image_writer_notes(const image_writer *writer) {
    return writer->encoder->notes;
}

void image_writer_close(image_writer *writer) {
    if (writer == NULL)
        return;
    if (writer->encoder != NULL)
        writer->encoder->close(writer->encoder);
    free(writer);
}
