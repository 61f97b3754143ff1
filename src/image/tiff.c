/* SPDX-License-Identifier: Apache-2.0
 * image/tiff.c - read TIFF files with libtiff (stage 4 of 9).
 * In: strips or tiles of grey, palette, RGB, CMYK or YCbCr samples of 1 to 16 bits, together or in planes.  Out: rows of 8 or 16
 * bits; inks as they are.
 * Strips of all samples are decoded row by row; tiles, and strips of planes, a row of them at a time. A strip or tile
 * that is not in the file is damage, which is found when the file is opened. */
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/tiff_file.h"

#define MAX_SAMPLES 8
#define MAX_ALLOCATION ((tmsize_t)1 << 30) /* of the library at once */

typedef struct tiff_decoder {
    image_decoder base;
    TIFF *tiff;
    tiff_file file;
    uint16_t depth, samples, photometric, planes, extra;
    uint16_t *palette[3];
    bool is_tiled;
    uint32_t part_width, part_rows; /* of a tile or strip */
    uint8_t *part;                  /* one tile or strip, decoded */
    uint8_t *band;                  /* [part_rows][width][samples]; NULL: the file is decoded row by row */
    uint8_t *line;                  /* a row as the library gives it, if there is no band */
    int32_t rows_read, band_end;
} tiff_decoder;

static swin2sr_status damaged(const tiff_decoder *self, swin2sr_error *reterr) {
    if (self->file.is_out_of_memory)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the TIFF");
    return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the TIFF is damaged");
}

static size_t sample_bytes(const tiff_decoder *self) {
    return self->depth == 16 ? 2 : 1;
}

/* ---- from the samples of the file to rows ---- */

/* Sample i of a row as it is stored. */
static uint32_t sample_at(const tiff_decoder *self, const uint8_t *row, size_t i) {
    if (self->depth == 16) {
        uint16_t value;
        memcpy(&value, row + 2 * i, sizeof(value));
        return value;
    }
    if (self->depth == 8)
        return row[i];
    size_t bit = i * self->depth;
    return row[bit / 8] >> (8 - self->depth - bit % 8) & ((1u << self->depth) - 1);
}

/* Samples of less than 8 bits become 8; those of 8 and 16 stay. */
static uint32_t widened(const tiff_decoder *self, uint32_t value) {
    return self->depth < 8 ? value * 255 / ((1u << self->depth) - 1) : value;
}

static void put_sample(const tiff_decoder *self, uint8_t *pixel, int32_t c, uint32_t value) {
    const uint16_t wide = (uint16_t)value;
    if (self->base.sample_bytes == 2)
        memcpy(pixel + 2 * c, &wide, sizeof(wide));
    else
        pixel[c] = (uint8_t)value;
}

static void put_colours(const tiff_decoder *self, const uint8_t *row, size_t first, uint32_t alpha, int32_t colours,
                        uint8_t *pixel) {
    uint32_t top = self->base.sample_bytes == 2 ? 65535 : 255;
    for (int32_t c = 0; c < colours; c++) {
        uint32_t value = sample_at(self, row, self->photometric == PHOTOMETRIC_PALETTE ? first : first + (size_t)c);
        if (self->photometric == PHOTOMETRIC_PALETTE)
            value = (self->palette[c][value] * 255u + 32767) / 65535;
        else
            value = widened(self, value);
        if (self->photometric == PHOTOMETRIC_MINISWHITE)
            value = top - value;
        if (self->extra == EXTRASAMPLE_ASSOCALPHA) { /* stored multiplied with alpha */
            uint64_t divided = alpha > 0 ? ((uint64_t)value * top + alpha / 2) / alpha : 0;
            value = divided < top ? (uint32_t)divided : top;
        }
        put_sample(self, pixel, c, value);
    }
}

static void put_row(const tiff_decoder *self, const uint8_t *from, uint8_t *row) {
    int32_t channels = self->base.channels, pixel_bytes = channels * self->base.sample_bytes;
    bool has_alpha = !self->base.is_cmyk && channels % 2 == 0;
    int32_t colours = channels - has_alpha;
    for (size_t x = 0; x < (size_t)self->base.width_px; x++, row += pixel_bytes) {
        size_t first = x * self->samples;
        uint32_t alpha = has_alpha ? sample_at(self, from, first + (size_t)colours) : 0;
        put_colours(self, from, first, alpha, colours, row);
        if (has_alpha)
            put_sample(self, row, colours, alpha);
    }
}

/* ---- bands ---- */

/* Copy a decoded part to its place in the band. plane: of its samples; -1: it has all of them. */
static void place_part(tiff_decoder *self, uint32_t x, uint32_t rows, int32_t plane) {
    size_t bytes = sample_bytes(self), samples = plane < 0 ? self->samples : 1, width = (size_t)self->base.width_px;
    size_t columns = self->part_width < width - x ? self->part_width : width - x;
    for (uint32_t y = 0; y < rows; y++) {
        const uint8_t *from = self->part + y * (size_t)self->part_width * samples * bytes;
        uint8_t *to = self->band + (y * width + x) * self->samples * bytes;
        if (plane < 0) {
            memcpy(to, from, columns * samples * bytes);
            continue;
        }
        for (size_t i = 0; i < columns; i++)
            memcpy(to + (i * self->samples + (size_t)plane) * bytes, from + i * bytes, bytes);
    }
}

static bool decode_part(tiff_decoder *self, uint32_t x, uint32_t y, uint16_t plane, uint32_t rows) {
    size_t samples = self->planes == PLANARCONFIG_CONTIG ? self->samples : 1;
    tmsize_t row_bytes = (tmsize_t)(self->part_width * samples * sample_bytes(self)), got;
    if (self->is_tiled)
        got = TIFFReadEncodedTile(self->tiff, TIFFComputeTile(self->tiff, x, y, 0, plane), self->part,
                                  row_bytes * self->part_rows);
    else
        got = TIFFReadEncodedStrip(self->tiff, TIFFComputeStrip(self->tiff, y, plane), self->part, row_bytes * rows);
    return got >= row_bytes * rows;
}

static swin2sr_status read_band(tiff_decoder *self, swin2sr_error *reterr) {
    uint32_t y = (uint32_t)self->rows_read, width = (uint32_t)self->base.width_px,
             height = (uint32_t)self->base.height_px;
    uint32_t rows = self->part_rows < height - y ? self->part_rows : height - y;
    uint16_t planes = self->planes == PLANARCONFIG_CONTIG ? 1 : self->samples;
    for (uint32_t x = 0; x < width; x += self->part_width)
        for (uint16_t plane = 0; plane < planes; plane++) {
            if (!decode_part(self, x, y, plane, rows))
                return damaged(self, reterr);
            place_part(self, x, rows, planes == 1 ? -1 : plane);
        }
    self->band_end = (int32_t)(y + rows);
    return SWIN2SR_OK;
}

static swin2sr_status next_row(tiff_decoder *self, const uint8_t **ret_row, swin2sr_error *reterr) {
    if (!self->band) {
        *ret_row = self->line;
        bool is_read = TIFFReadScanline(self->tiff, self->line, (uint32_t)self->rows_read, 0) == 1;
        return is_read && !self->file.has_failed ? SWIN2SR_OK : damaged(self, reterr);
    }
    swin2sr_status status = SWIN2SR_OK;
    if (self->rows_read == self->band_end)
        status = read_band(self, reterr);
    size_t row = (size_t)self->rows_read % self->part_rows;
    *ret_row = self->band + row * (size_t)self->base.width_px * self->samples * sample_bytes(self);
    return status;
}

/* ---- decoder ---- */

static swin2sr_status tiff_decoder_read(image_decoder *base, swin2sr_error *reterr) {
    tiff_decoder *self = (tiff_decoder *)base;
    for (int32_t y = 0; y < base->n; y++, self->rows_read++) {
        const uint8_t *from;
        swin2sr_status status = next_row(self, &from, reterr);
        if (status != SWIN2SR_OK)
            return status;
        put_row(self, from, base->rows + (size_t)y * base->stride_bytes);
    }
    if (self->file.has_wrong_pixels)
        base->damage = "the TIFF's data is damaged";
    return SWIN2SR_OK;
}

static void tiff_decoder_close(image_decoder *base) {
    tiff_decoder *self = (tiff_decoder *)base;
    if (self->tiff)
        TIFFClose(self->tiff);
    free(self->part);
    free(self->band);
    free(self->line);
    free(self);
}

/* Whether the bytes of each strip and tile lie in the file. */
static bool has_all_parts(const tiff_decoder *self) {
    uint32_t count = self->is_tiled ? TIFFNumberOfTiles(self->tiff) : TIFFNumberOfStrips(self->tiff);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = TIFFGetStrileOffset(self->tiff, i), bytes = TIFFGetStrileByteCount(self->tiff, i);
        if (at == 0 || bytes == 0 || at > self->file.size || bytes > self->file.size - at)
            return false;
    }
    return count > 0;
}

static void take_tags(tiff_decoder *self, const probe_info *probe) {
    TIFF *tiff = self->tiff;
    uint16_t compression = COMPRESSION_NONE, extras = 0, *kinds = NULL;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &self->depth);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &self->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &self->planes);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &self->photometric);
    if (TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extras, &kinds) && extras > 0)
        self->extra = kinds[0];
    if (self->photometric == PHOTOMETRIC_PALETTE)
        TIFFGetField(tiff, TIFFTAG_COLORMAP, &self->palette[0], &self->palette[1], &self->palette[2]);
    if (compression == COMPRESSION_JPEG && self->photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (self->samples == 1)
        self->planes = PLANARCONFIG_CONTIG;
    uint32_t width = 0, height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    self->base.width_px = width <= IMAGE_MAX_SIDE_PX ? (int32_t)width : 0;
    self->base.height_px = height <= IMAGE_MAX_SIDE_PX ? (int32_t)height : 0;
    self->base.channels = probe->channels;
    self->base.is_cmyk = self->photometric == PHOTOMETRIC_SEPARATED;
    self->base.sample_bytes = self->depth == 16 ? 2 : 1;
    if (!probe->has_alpha) /* other samples beside the colours have no meaning here */
        self->extra = EXTRASAMPLE_UNSPECIFIED;
    self->is_tiled = TIFFIsTiled(tiff) != 0;
}

/* EXIF, which is spread over directories of the file itself, and texts: they are not kept. */
static uint32_t dropped_notes(TIFF *tiff) {
    static const struct {
        uint32_t tag, note;
    } tags[] = {
        {TIFFTAG_EXIFIFD, NOTE_EXIF_DROPPED},      {TIFFTAG_GPSIFD, NOTE_EXIF_DROPPED},
        {TIFFTAG_MAKE, NOTE_EXIF_DROPPED},         {TIFFTAG_MODEL, NOTE_EXIF_DROPPED},
        {TIFFTAG_DATETIME, NOTE_EXIF_DROPPED},     {TIFFTAG_IMAGEDESCRIPTION, NOTE_TEXT_DROPPED},
        {TIFFTAG_ARTIST, NOTE_TEXT_DROPPED},       {TIFFTAG_COPYRIGHT, NOTE_TEXT_DROPPED},
        {TIFFTAG_RICHTIFFIPTC, NOTE_TEXT_DROPPED}, {TIFFTAG_PHOTOSHOP, NOTE_TEXT_DROPPED},
    };
    uint32_t notes = 0;
    uint64_t values[2]; /* a number, a pointer, or a count and a pointer */
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        notes |= TIFFGetField(tiff, tags[i].tag, &values[0], &values[1]) ? tags[i].note : 0;
    return notes;
}

/* Metadata that the library keeps until the file is closed. */
static void take_metadata(tiff_decoder *self) {
    image_metadata *found = &self->base.metadata;
    uint32_t size = 0;
    const void *bytes = NULL;
    float x = 0, y = 0;
    uint16_t unit = RESUNIT_INCH;
    if (TIFFGetField(self->tiff, TIFFTAG_ICCPROFILE, &size, &bytes) && size > 0 && size <= IMAGE_ICC_MAX_BYTES)
        found->icc = (image_block){bytes, size};
    else if (size > 0)
        self->base.notes |= NOTE_PROFILE_DROPPED;
    size = 0;
    if (TIFFGetField(self->tiff, TIFFTAG_XMLPACKET, &size, &bytes) && size > 0 && size <= IMAGE_XMP_MAX_BYTES)
        found->xmp = (image_block){bytes, size};
    else if (size > 0)
        self->base.notes |= NOTE_XMP_DROPPED;
    self->base.notes |= dropped_notes(self->tiff);
    TIFFGetFieldDefaulted(self->tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (unit == RESUNIT_NONE || !TIFFGetField(self->tiff, TIFFTAG_XRESOLUTION, &x) ||
        !TIFFGetField(self->tiff, TIFFTAG_YRESOLUTION, &y) || !(x > 0 && y > 0 && x < 1e6f && y < 1e6f))
        return;
    double per_metre = unit == RESUNIT_CENTIMETER ? 100 : 100 / 2.54;
    found->x_per_metre = (double)x * per_metre;
    found->y_per_metre = (double)y * per_metre;
}

/* The library reads tags by rules of its own: the probe must have found the same. */
static bool is_as_probed(const tiff_decoder *self, const probe_info *probe) {
    bool is_packed = self->depth < 8, is_grey = self->photometric <= PHOTOMETRIC_MINISBLACK;
    bool is_palette = self->photometric == PHOTOMETRIC_PALETTE;
    int32_t least = is_grey || is_palette ? 1 : self->photometric == PHOTOMETRIC_SEPARATED ? 4 : 3;
    int32_t needed = is_palette ? 1 : probe->has_alpha ? probe->channels : least;
    return self->depth == probe->depth_bits && self->samples >= needed && self->samples <= MAX_SAMPLES &&
           self->photometric <= PHOTOMETRIC_YCBCR && self->photometric != PHOTOMETRIC_MASK &&
           (is_grey || is_palette || !is_packed) && (!is_packed || self->samples == 1) &&
           (!is_palette || (self->palette[0] && self->depth <= 8)) && (is_grey == (probe->channels < 3)) &&
           self->base.width_px == probe->width_px && self->base.height_px == probe->height_px;
}

static swin2sr_status allocate_parts(tiff_decoder *self, swin2sr_error *reterr) {
    size_t width = (size_t)self->base.width_px, height = (size_t)self->base.height_px, bytes = sample_bytes(self);
    tmsize_t line_bytes = TIFFScanlineSize(self->tiff);
    if (!self->is_tiled && self->planes == PLANARCONFIG_CONTIG) {
        if ((size_t)line_bytes < (width * self->samples * self->depth + 7) / 8)
            return damaged(self, reterr);
        self->line = malloc((size_t)line_bytes);
        return self->line ? SWIN2SR_OK : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the TIFF");
    }
    self->part_width = (uint32_t)width;
    self->part_rows = 0;
    if (self->is_tiled) {
        TIFFGetField(self->tiff, TIFFTAG_TILEWIDTH, &self->part_width);
        TIFFGetField(self->tiff, TIFFTAG_TILELENGTH, &self->part_rows);
    } else {
        TIFFGetFieldDefaulted(self->tiff, TIFFTAG_ROWSPERSTRIP, &self->part_rows);
        self->part_rows = self->part_rows < height ? self->part_rows : (uint32_t)height;
    }
    if (self->depth < 8 || self->part_width == 0 || self->part_rows == 0)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "a TIFF with tiles of less than 8 bits cannot be read");
    size_t samples = self->planes == PLANARCONFIG_CONTIG ? self->samples : 1;
    size_t band_rows = self->part_rows < height ? self->part_rows : height;
    size_t part_bytes = (size_t)self->part_width * self->part_rows * samples * bytes;
    tmsize_t needed = self->is_tiled ? TIFFTileSize(self->tiff) : TIFFStripSize(self->tiff);
    if (needed <= 0 || (size_t)needed > part_bytes)
        return damaged(self, reterr);
    self->part = malloc(part_bytes);
    self->band = malloc(band_rows * width * self->samples * bytes);
    return self->part && self->band ? SWIN2SR_OK
                                    : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the TIFF");
}

swin2sr_status image_tiff_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                       swin2sr_error *reterr) {
    tiff_decoder *self = calloc(1, sizeof(*self));
    probe_info probe;
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the TIFF");
    self->base.read = tiff_decoder_read;
    self->base.close = tiff_decoder_close;
    self->file = (tiff_file){.data = data, .size = size};
    *ret_decoder = &self->base;
    swin2sr_status status = probe_bytes(data, size, &probe, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->tiff = tiff_file_open(&self->file, MAX_ALLOCATION);
    if (!self->tiff)
        return damaged(self, reterr);
    take_tags(self, &probe);
    if (!is_as_probed(self, &probe))
        return damaged(self, reterr);
    if (!has_all_parts(self))
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT,
                                  "the TIFF is cut short, or parts of the picture are missing");
    take_metadata(self);
    self->file.has_failed = false; /* what the library says of tags that are not needed does not count */
    return allocate_parts(self, reterr);
}
