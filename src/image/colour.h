/* SPDX-License-Identifier: Apache-2.0
 * image/colour.h - convert the rows of a decoder to the colours that a reader delivers (stage 4 of 9), and make profiles.
 * With Little CMS. Profiles are bytes from clients: what it cannot use counts as no profile. */
#pragma once

#include "image/codec.h"

typedef struct image_colour image_colour;

/* Prepare the conversion of a decoder's rows, where one is needed: inks become sRGB, with the file's profile or without
 * one; other colours do if to_srgb and the file says that they are not sRGB.
 * ret_colour  The caller's (image_colour_close); NULL: the rows need no change. Untouched on failure.
 * notes       What the conversion does not keep is added.
 * errors      _NOMEM. */
swin2sr_status image_colour_open(const image_decoder *decoder, bool to_srgb, image_colour **ret_colour, uint32_t *notes,
                                 swin2sr_error *reterr);

/* Convert width_px pixels of the decoder's channels to pixels of the reader's. The rows must not overlap. */
void image_colour_apply(const image_colour *colour, const void *from, void *to, int32_t width_px);

void image_colour_close(image_colour *colour); /* NULL is allowed */

/* Whether metadata say that colours are other than sRGB. */
bool image_colour_is_special(const image_metadata *metadata);

/* An ICC profile with the meaning of what PNG says in other chunks (cicp, gamma, chromaticities).
 * channels   Of the image: 1 or 2 grey, else colour.
 * ret_bytes  The caller's (free), ret_size bytes; NULL: there is no such profile, as for HDR. */
swin2sr_status image_colour_make_profile(const image_metadata *metadata, int32_t channels, uint8_t **ret_bytes,
                                         size_t *ret_size);
