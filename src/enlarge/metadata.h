/* SPDX-License-Identifier: Apache-2.0
 * enlarge/metadata.h - what the output file says of its pixels, made from what the input says (stage 8 of 9, encode). */
#pragma once

#include "image/image.h"

#define METADATA_HELD_MAX 3

typedef struct metadata_choice {
    format_id format;            /* of the output */
    int32_t channels;            /* of the output */
    int32_t width_px, height_px; /* of the output */
    double times;                /* output pixels per input pixel, along a side */
    bool is_stripped;            /* leave out EXIF and XMP */
    const char *software;        /* provenance, printable ASCII; NULL: none. Borrowed until metadata_done */
} metadata_choice;

typedef struct made_metadata {
    image_metadata data;           /* of the output; borrows from the reader and from held */
    void *held[METADATA_HELD_MAX]; /* memory of changed blocks */
} made_metadata;

/* Colour is kept, or put into a profile where the format has no other place for it. The resolution is multiplied. EXIF
 * and XMP describe the picture as it is now: upright, larger, without a thumbnail.
 * notes   What cannot be kept is added.
 * errors  _NOMEM. self is the caller's (metadata_done), whatever the outcome. */
swin2sr_status metadata_make(made_metadata *self, const image_metadata *in, const metadata_choice *choice,
                             uint32_t *notes, swin2sr_error *reterr);

void metadata_done(made_metadata *self); /* not made is fine */
