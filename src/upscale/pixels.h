/* SPDX-License-Identifier: Apache-2.0
 * upscale/pixels.h - pixels of the caller that are not those of the network: alpha, another order, grey (stages 5 and 7 of
 * 9).
 * In: rows of the caller.  Out: rows of the network's pixels, and the network's rows as pixels of the caller.
 * Alpha is enlarged beside the network. Where the pixels are those of the network, none of this is used, so the bits of
 * such an image do not depend on it. */
#pragma once

#include "upscale/plan.h"

typedef struct swin2sr__pixels swin2sr__pixels;

/* The pixel that a network with so many channels gets or returns for a pixel of the caller; COUNT: it takes none such. */
swin2sr_pixel swin2sr__pixels_inside(swin2sr_pixel pixel, int32_t channels);

bool swin2sr__pixels_has_alpha(swin2sr_pixel pixel);

/* How many rows the alpha of an image must be kept for. */
int32_t swin2sr__pixels_lag(const swin2sr__layout *layout, int32_t window_px);

/* The bytes of the buffers; 0: none are needed. */
size_t swin2sr__pixels_measure(const swin2sr__layout *layout, int32_t scale, int32_t window_px);

/* Take the place of the callbacks in layout->engine, which are called with rows of the caller's pixels.
 * ret_pixels  NULL where nothing is to be converted.  errors: _NOMEM. */
swin2sr_status swin2sr__pixels_new(swin2sr__layout *layout, int32_t scale, int32_t window_px,
                                   swin2sr__pixels **ret_pixels);

/* Convert one row of the caller. Rows come back by swin2sr__pixels_next, up to two rows later if there is alpha. */
void swin2sr__pixels_take(swin2sr__pixels *pixels, const void *row);

/* The next row for the network, valid until the next take; NULL: there is none yet. */
const void *swin2sr__pixels_next(swin2sr__pixels *pixels);

void swin2sr__pixels_free(swin2sr__pixels *pixels);
