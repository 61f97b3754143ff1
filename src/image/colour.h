/* SPDX-License-Identifier: Apache-2.0
 * image/colour.h - convert the rows of a decoder to the colours that a reader delivers (stage 4 of 9). */
#pragma once

#include "image/codec.h"

typedef struct image_colour image_colour;

/* Prepare the conversion of a decoder's inks to sRGB.
 * ret_colour  The caller's (image_colour_close). Untouched on failure.
 * notes       What the conversion does not keep is added.
 * errors      _NOMEM. */
swin2sr_status image_colour_open(const image_decoder *decoder, image_colour **ret_colour, uint32_t *notes,
                                 swin2sr_error *reterr);

/* Convert width_px pixels of the decoder's channels to pixels of the reader's. The rows must not overlap. */
void image_colour_apply(const image_colour *colour, const void *from, void *to, int32_t width_px);

void image_colour_close(image_colour *colour); /* NULL is allowed */
