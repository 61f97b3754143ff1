/* SPDX-License-Identifier: Apache-2.0
 * image/tiff_write.c - write TIFF files with libtiff (stage 8 of 9).
 * Strips of 8- or 16-bit samples, compressed with deflate after the difference to the pixel on the left, which every reader of
 * TIFF knows and which loses nothing. The compressed file is held until it is complete. */
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/tiff_file.h"

#define STRIP_BYTES ((size_t)1 << 18) /* before compression, about */
#define DEFLATE_LEVEL 3               /* as for PNG */
#define MAX_ALLOCATION ((tmsize_t)1 << 30)

typedef struct tiff_encoder {
    image_encoder base;
    image_encoder_setup setup;
    tiff_file file;
    TIFF *tiff;
    uint8_t *line; /* the library changes the rows that it is given */
    uint32_t rows_written;
} tiff_encoder;

static size_t row_bytes(const image_encoder_setup *setup) {
    return (size_t)setup->width_px * (size_t)(setup->channels * setup->sample_bytes);
}

static void __attribute__((noreturn)) tiff_write_failed(tiff_encoder *self) {
    if (self->file.is_out_of_memory)
        image_trap_spring(&self->base.trap, SWIN2SR_NOMEM, "not enough memory to write the TIFF");
    image_trap_spring(&self->base.trap, SWIN2SR_INTERNAL, "the TIFF could not be written");
}

static void tiff_write_step(void *context) {
    tiff_encoder *self = context;
    for (int32_t y = 0; y < self->base.n; y++) {
        memcpy(self->line, self->base.rows + (size_t)y * self->base.stride_bytes, row_bytes(&self->setup));
        if (TIFFWriteScanline(self->tiff, self->line, self->rows_written++, 0) != 1)
            tiff_write_failed(self);
    }
}

static void tiff_finish_step(void *context) {
    tiff_encoder *self = context;
    const uint8_t *bytes;
    if (!TIFFWriteDirectory(self->tiff))
        tiff_write_failed(self);
    TIFFClose(self->tiff);
    self->tiff = NULL;
    if (self->file.has_failed)
        tiff_write_failed(self);
    size_t size;
    for (size_t n = 0; (size = tiff_file_piece(&self->file, n, &bytes)) > 0; n++)
        if (!self->setup.sink(self->setup.context, bytes, size))
            image_trap_spring(&self->base.trap, SWIN2SR_IO, "the output could not be written");
}

static void tiff_encoder_close(image_encoder *base) {
    tiff_encoder *self = (tiff_encoder *)base;
    if (self->tiff)
        TIFFCleanup(self->tiff); /* without writing what is not complete */
    tiff_file_done(&self->file);
    free(self->line);
    free(self);
}

static bool set_tags(const tiff_encoder *self) {
    const image_encoder_setup *setup = &self->setup;
    int32_t channels = setup->channels;
    bool has_alpha = channels % 2 == 0;
    size_t bytes = row_bytes(setup);
    uint32_t strip_rows = bytes < STRIP_BYTES ? (uint32_t)(STRIP_BYTES / bytes) : 1;
    uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
    TIFF *tiff = self->tiff;
    return TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, (uint32_t)setup->width_px) &&
           TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, (uint32_t)setup->height_px) &&
           TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8 * setup->sample_bytes) &&
           TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, channels) &&
           TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, channels < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB) &&
           TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
           TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT) &&
           TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE) &&
           TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL) &&
           TIFFSetField(tiff, TIFFTAG_ZIPQUALITY, DEFLATE_LEVEL) &&
           TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, strip_rows) &&
           (!has_alpha || TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha));
}

/* Of EXIF, a TIFF would need its tags spread over directories of its own. */
static bool set_metadata(tiff_encoder *self) {
    const image_metadata *metadata = self->setup.metadata;
    TIFF *tiff = self->tiff;
    self->base.notes = image_encoder_notes(metadata, true, false, true, true);
    bool has_resolution = metadata->x_per_metre > 0 && metadata->y_per_metre > 0;
    return (!metadata->icc.data ||
            TIFFSetField(tiff, TIFFTAG_ICCPROFILE, (uint32_t)metadata->icc.size, metadata->icc.data)) &&
           (!metadata->xmp.data ||
            TIFFSetField(tiff, TIFFTAG_XMLPACKET, (uint32_t)metadata->xmp.size, metadata->xmp.data)) &&
           (!metadata->software || TIFFSetField(tiff, TIFFTAG_SOFTWARE, metadata->software)) &&
           (!has_resolution || (TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER) &&
                                TIFFSetField(tiff, TIFFTAG_XRESOLUTION, metadata->x_per_metre / 100) &&
                                TIFFSetField(tiff, TIFFTAG_YRESOLUTION, metadata->y_per_metre / 100)));
}

swin2sr_status image_tiff_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                       swin2sr_error *reterr) {
    tiff_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the TIFF");
    self->base.write = tiff_write_step;
    self->base.finish = tiff_finish_step;
    self->base.close = tiff_encoder_close;
    self->setup = *setup;
    *ret_encoder = &self->base;
    self->line = malloc(row_bytes(setup));
    self->file.is_out_of_memory = !self->line;
    self->tiff = self->line ? tiff_file_open(&self->file, MAX_ALLOCATION) : NULL;
    if (self->tiff && set_tags(self) && set_metadata(self))
        return SWIN2SR_OK;
    return self->file.is_out_of_memory
               ? swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the TIFF")
               : swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "the TIFF could not be written");
}
