/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/stream.h - rows in, enlarged rows out, in memory that grows with the width only. */
#ifndef SWIN2SR_STREAM_H
#define SWIN2SR_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/image.h>
#include <swin2sr/model.h>
#include <swin2sr/status.h>
#include <swin2sr/threads.h>
#include <swin2sr/types.h>

SWIN2SR_BEGIN

typedef struct swin2sr_stream swin2sr_stream;

typedef struct swin2sr_options {
    int32_t threads;                 /* 1..; 0: the usable cores (affinity and cgroup) */
    int32_t rows;                    /* rows of windows a step, 1..64; 0: chosen from the memory budget */
    size_t memory_bytes;             /* budget for the stream, weights not counted; 0: no limit. An image too wide
                                        for it is done in strips */
    int32_t tile_px;                 /* side of a tile, its overlap included: 64..65528, multiple of 8; 0: no tiles */
    int32_t overlap_px;              /* what a tile computes beyond its own pixels on every side: multiple of 8, up to
                                        tile_px / 4; the outer three quarters are thrown away, the rest is
                                        cross-faded; 0: 32, -1: none */
    swin2sr_pad pad;                 /* default REFLECT */
    swin2sr_pixel input_pixel;       /* colour or grey as the model's channels; default RGB8 */
    swin2sr_pixel output_pixel;      /* default RGB8 */
    swin2sr_on_progress on_progress; /* NULL: none */
    void *progress_context;
    swin2sr_on_rows on_aux_rows; /* receives the second image of a model that has one (swin2sr_model_info.has_aux): as
                                    large as the input, of output_pixel; NULL: not wanted */
    void *aux_context;
    swin2sr_threads *shared_threads; /* used instead of threads of the stream's own; `threads` is ignored then. Borrowed
                                        until close; by one stream at a time. NULL: the stream starts its own */
    uint64_t reserved[8];            /* 0 */
} swin2sr_options;

/* What a stream will use, known before it is opened. */
typedef struct swin2sr_plan {
    size_t memory_bytes; /* everything the stream allocates */
    int32_t rows;        /* rows of windows a step */
    int32_t threads;
    int32_t columns;        /* tiles side by side; 1 x 1: the whole image, exactly */
    int32_t bands;          /* tiles below each other */
    int32_t latency_rows;   /* input rows taken in before the first output row leaves, at most */
    double gmac;            /* multiply-adds for the whole image, in 1e9 */
    char threads_note[128]; /* of an open stream: why it has fewer threads than wanted; "" where it has them all */
    uint64_t reserved[4];   /* 0 */
} swin2sr_plan;

/* Compute the plan without allocating it.
 * width_px, height_px  Of the input, 1..65535 each.
 * options              NULL for the defaults.
 * ret_plan             Filled on success.
 * threads              Any.
 * errors               _INVALID, _TOO_LARGE (over options->memory_bytes even with one row a step). since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_stream_plan(const swin2sr_model *model,
                                                                     const swin2sr_options *options, int32_t width_px,
                                                                     int32_t height_px, swin2sr_plan *ret_plan,
                                                                     swin2sr_error *reterr);

/* Open a stream for one image. All memory is allocated here; none while rows flow.
 * model       Referenced until close.
 * options     NULL for the defaults. Copied.
 * on_rows     Receives the output; context is handed to it.
 * ret_stream  The caller's (swin2sr_stream_close). Untouched on failure.
 * threads     Any; one stream is used by one thread at a time, streams are independent.
 * errors      _INVALID, _TOO_LARGE, _NOMEM.                                          since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_stream_open(swin2sr_model *model,
                                                                     const swin2sr_options *options, int32_t width_px,
                                                                     int32_t height_px, swin2sr_on_rows on_rows,
                                                                     void *context, swin2sr_stream **ret_stream,
                                                                     swin2sr_error *reterr);

/* What an open stream uses.
 * returns  Borrowed from the stream; constant until close.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const swin2sr_plan *swin2sr_stream_get_plan(const swin2sr_stream *stream);

/* Push input rows, top to bottom; blocks while the network works on them. The last row finishes the image.
 * rows, stride_bytes, n  n rows of the input pixel type. Borrowed during the call.
 * threads                One at a time per stream.
 * errors                 _INVALID (more rows than the height, NULL rows, stride_bytes under a row), _CANCELLED, what on_rows returned. After an error
 *                        only swin2sr_stream_close is allowed.                        since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_stream_push(swin2sr_stream *stream, const void *rows,
                                                                     size_t stride_bytes, int32_t n);

/* Free the stream, finished or not.
 * stream   NULL is fine.
 * threads  One at a time per stream.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC void swin2sr_stream_close(swin2sr_stream *stream);

SWIN2SR_END
#endif
