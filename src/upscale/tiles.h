/* SPDX-License-Identifier: Apache-2.0
 * upscale/tiles.h - an image in bands of tiles, one band after another (stages 5 and 7 of 9).
 * In: pixel rows of the whole image.  Out: enlarged rows of the whole image, assembled and cross-faded. */
#pragma once

#include "upscale/plan.h"

typedef struct swin2sr__tiles swin2sr__tiles;

/* The bytes of the buffers beside the engine. */
size_t swin2sr__tiles_measure(const swin2sr__layout *layout, int32_t scale);

/* engine is borrowed; layout, whose engine has the callbacks for the whole image, is copied. errors: _NOMEM. */
swin2sr_status swin2sr__tiles_new(const swin2sr__layout *layout, int32_t scale, swin2sr__engine *engine,
                                  swin2sr__tiles **ret_tiles);
/* errors: _INVALID (too many rows), _CANCELLED, what on_rows returned. */
swin2sr_status swin2sr__tiles_push(swin2sr__tiles *tiles, const void *rows, size_t stride_bytes, int32_t n);
void swin2sr__tiles_free(swin2sr__tiles *tiles);
