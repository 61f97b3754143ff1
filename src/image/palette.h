/* SPDX-License-Identifier: Apache-2.0
 * image/palette.h - choose up to 256 colours for pictures, and draw pictures with them (stage 8 of 9).
 * In: pixels, of one picture or of all frames of an animation.  Out: a palette, then rows of indices.
 * Up to 256 different colours are kept exactly. More are grouped where the eye sees little difference (OKLab), and mixed
 * by a pattern of blue noise that depends on nothing but the place, so that what does not move does not flicker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define PALETTE_MAX 256

typedef struct palette palette;

/* errors  _NOMEM. */
swin2sr_status palette_new(palette **ret_self);
void palette_free(palette *self);

/* Count pixels of 1 to 4 channels. Those with an alpha below one half count as transparent.
 * weight  How many times each pixel counts. Colours that count more than once get a place of their own if they can. */
void palette_add(palette *self, const uint8_t *pixels, size_t count, int32_t channels, uint32_t weight);

/* Choose the colours for what was counted. Call it once, after the last palette_add and before the rest.
 * has_key  Keep the last index for transparent pixels even if there was none.
 * is_open  Colours that were not counted will be drawn, too.
 * errors   _NOMEM. */
swin2sr_status palette_choose(palette *self, bool has_key, bool is_open);

/* The number of colours, 1..256, and their bytes R G B. The transparent one counts, if there is one. */
int32_t palette_size(const palette *self, const uint8_t (**ret_colours)[3]);

/* Whether a pixel that was counted was neither opaque nor transparent. */
bool palette_has_partial_alpha(const palette *self);

/* The index of transparent pixels; -1: there is none. */
int32_t palette_key(const palette *self);

/* Draw pixels as indices.
 * x, y  Where the first pixel lies in the picture. */
void palette_draw(palette *self, int32_t x, int32_t y, const uint8_t *pixels, size_t count, int32_t channels,
                  uint8_t *indices);
