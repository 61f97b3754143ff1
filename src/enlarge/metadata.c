/* SPDX-License-Identifier: Apache-2.0
 * enlarge/metadata.c - what the output file says of its pixels (stage 8 of 9, encode).
 * In: metadata of the input.  Out: metadata of the output. */
#include "enlarge/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/colour.h"
#include "image/exif.h"

enum {
    HELD_ICC,
    HELD_EXIF,
    HELD_XMP,
};

static void hold(made_metadata *self, int which, uint8_t *bytes, size_t size, image_block *block) {
    self->held[which] = bytes;
    *block = (image_block){bytes, bytes != NULL ? size : 0};
}

static swin2sr_status add_profile(made_metadata *self, int32_t channels) {
    uint8_t *bytes;
    size_t size;
    swin2sr_status status = image_colour_make_profile(&self->data, channels, &bytes, &size);
    if (status == SWIN2SR_OK)
        hold(self, HELD_ICC, bytes, size, &self->data.icc);
    return status;
}

/* Only PNG has other places for colour than a profile. What no profile can say is left to the encoder, which notes it. */
static swin2sr_status settle_colour(made_metadata *self, const metadata_choice *choice) {
    if (choice->format == FORMAT_PNG)
        return SWIN2SR_OK;
    if (!image_colour_is_special(&self->data)) /* sRGB in the words of PNG */
        memset(self->data.cicp, 0, sizeof(self->data.cicp));
    else if (self->data.icc.data == NULL)
        return add_profile(self, choice->channels);
    return SWIN2SR_OK;
}

/* One of exif_edit and xmp_edit on a block. */
static swin2sr_status edit(made_metadata *self, int which, image_block *block, const exif_change *change, uint32_t note,
                           uint32_t *notes) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    swin2sr_status status =
        which == HELD_EXIF ? exif_edit(block, change, &bytes, &size) : xmp_edit(block, change, &bytes, &size);
    if (status == SWIN2SR_NOMEM)
        return status;
    if (status != SWIN2SR_OK)
        *notes |= note;
    hold(self, which, bytes, size, block);
    return SWIN2SR_OK;
}

swin2sr_status metadata_make(made_metadata *self, const image_metadata *in, const metadata_choice *choice,
                             uint32_t *notes, swin2sr_error *reterr) {
    exif_change change = {.width_px = choice->width_px, .height_px = choice->height_px, .times = choice->times};
    *self = (made_metadata){.data = *in};
    self->data.x_per_metre *= choice->times;
    self->data.y_per_metre *= choice->times;
    if (choice->format == FORMAT_PNG || choice->format == FORMAT_TIFF)
        self->data.software = choice->software;
    else if (choice->format != FORMAT_GIF)
        change.software = choice->software;
    else if (choice->software != NULL)
        *notes |= NOTE_PROVENANCE_DROPPED;
    if (choice->is_stripped)
        self->data.exif = self->data.xmp = (image_block){NULL, 0};
    swin2sr_status status = settle_colour(self, choice);
    if (status == SWIN2SR_OK && (self->data.exif.data != NULL || change.software != NULL))
        status = edit(self, HELD_EXIF, &self->data.exif, &change, NOTE_EXIF_DROPPED, notes);
    if (status == SWIN2SR_OK && self->data.xmp.data != NULL)
        status = edit(self, HELD_XMP, &self->data.xmp, &change, NOTE_XMP_DROPPED, notes);
    return status == SWIN2SR_OK ? status : swin2sr__error_set(reterr, status, "not enough memory for the metadata");
}

void metadata_done(made_metadata *self) {
    for (int i = 0; i < METADATA_HELD_MAX; i++)
        free(self->held[i]);
}
