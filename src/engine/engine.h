/* SPDX-License-Identifier: Apache-2.0
 * engine/engine.h - the row pipeline: rows of pixels in, enlarged rows out (stage 6 of 9).
 * In: rows, top to bottom.  Out: rows through a callback.  One arena, planned before the first row; no allocation
 * while rows flow. The result equals the untiled network; bits do not depend on threads or rows per step. */
#ifndef SWIN2SR_ENGINE_ENGINE_H
#define SWIN2SR_ENGINE_ENGINE_H

#include "base/pool.h"
#include "model/network.h"
#include <swin2sr/stream.h>

typedef struct swin2sr__engine swin2sr__engine;

/* Which values a tap sees: a layer's output, before anything else reads it. */
typedef enum swin2sr__tap_layer {
    SWIN2SR__TAP_EMBED, /* after the embedding's norm */
    SWIN2SR__TAP_BLOCK, /* one block of one group */
    SWIN2SR__TAP_GROUP  /* the group with its residual */
} swin2sr__tap_layer;

/* For tests: 64 lanes of values [C][64] and the pixel of each lane (y < 0: the lane holds nothing). Pool threads. */
typedef void (*swin2sr__tap)(void *context, swin2sr__tap_layer layer, int32_t group, int32_t block,
                             const int32_t y[SWIN2SR__LANES], const int32_t x[SWIN2SR__LANES], const float *values);

typedef struct swin2sr__engine_options {
    int32_t width_px, height_px;
    int32_t x_px, y_px;                      /* of a piece in the whole image */
    int32_t whole_width_px, whole_height_px; /* of the whole image; 0: this is it */
    int32_t rows;                            /* rows of windows a step, R */
    uint32_t threads;
    swin2sr_pad pad;
    swin2sr_pixel input_pixel, output_pixel;
    swin2sr_on_rows on_rows;
    void *rows_context;
    swin2sr_on_rows on_aux_rows; /* NULL: the second image, if there is one, is not wanted */
    void *aux_context;
    swin2sr_on_progress on_progress;
    void *progress_context;
    swin2sr__tap tap; /* NULL outside tests */
    void *tap_context;
} swin2sr__engine_options;

/* Bytes an image needs, and the input rows taken in before the first output row. SIZE_MAX: more than fits. */
size_t swin2sr__engine_measure(const swin2sr__network *network, const swin2sr__engine_options *options,
                               int32_t *ret_latency_rows);
/* Padded size of a side. */
int32_t swin2sr__engine_padded(const swin2sr__network *network, int32_t side_px, swin2sr_pad pad);

/* One block of memory for all images to come. network and pool are borrowed for the engine's life.
 * bytes  At least swin2sr__engine_measure of each image.  errors: _NOMEM. */
swin2sr_status swin2sr__engine_new(const swin2sr__network *network, swin2sr__pool *pool, size_t bytes,
                                   swin2sr__engine **ret_engine);
/* Begin an image, whatever became of the one before; allocates nothing. errors: _NOMEM (over the block). */
swin2sr_status swin2sr__engine_start(swin2sr__engine *engine, const swin2sr__engine_options *options);
/* errors: _INVALID (too many rows), _CANCELLED, what on_rows returned. */
swin2sr_status swin2sr__engine_push(swin2sr__engine *engine, const void *rows, size_t stride_bytes, int32_t n);
void swin2sr__engine_free(swin2sr__engine *engine);

#endif
