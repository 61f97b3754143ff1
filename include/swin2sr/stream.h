/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/stream.h - enlarge an image row by row, in memory that grows with its width only. */
#ifndef SWIN2SR_STREAM_H
#define SWIN2SR_STREAM_H

#include <swin2sr/image.h>
#include <swin2sr/model.h>
#include <swin2sr/threads.h>

SWIN2SR_BEGIN

typedef struct swin2sr_stream swin2sr_stream;

typedef struct swin2sr_options {
    int32_t threads;                 /* 1..256; 0: one per usable core (affinity mask and cgroup) */
    int32_t rows;                    /* rows of windows per step, 1..64; 0: chosen by width and memory budget */
    size_t memory_bytes;             /* limit for the stream, without the weights; 0: none. An image that is too wide
                                        for it is processed in strips */
    int32_t tile_px;                 /* side of a tile with its overlap: 64..65528, a multiple of 8; 0: no tiles */
    int32_t overlap_px;              /* what a tile computes beyond its own pixels on each side: a multiple of 8, at
                                        most tile_px / 4; the outer three quarters are discarded, the rest is
                                        cross-faded; 0: 32, -1: none */
    swin2sr_pad pad;                 /* default REFLECT */
    swin2sr_pixel input_pixel;       /* any that the model takes (types.h); default RGB8 */
    swin2sr_pixel output_pixel;      /* default RGB8 */
    swin2sr_on_progress on_progress; /* NULL: none */
    void *progress_context;
    swin2sr_on_rows on_aux_rows; /* receives the second image of a model that has one (swin2sr_model_info.has_aux), as
                                    large as the input, of type output_pixel, which has no alpha then; NULL: not wanted */
    void *aux_context;
    swin2sr_threads *shared_threads; /* used instead of own threads, and instead of `threads`. Borrowed until close;
                                        only one stream at a time may use them. NULL: the stream starts its own */
    uint64_t reserved[8];            /* 0 */
} swin2sr_options;

/* How a stream processes its image, and what it uses. */
typedef struct swin2sr_plan {
    size_t memory_bytes; /* all that the stream allocates */
    int32_t rows;        /* rows of windows per step */
    int32_t threads;
    int32_t columns;        /* tiles or strips side by side; 1 column and 1 band: the image is not cut */
    int32_t bands;          /* tiles below each other */
    int32_t latency_rows;   /* the most input rows that are pushed before the first output row leaves */
    double gmac;            /* multiply-adds for the whole image, in units of 1e9 */
    char threads_note[128]; /* of an open stream: why it has fewer threads than planned; "": it has all */
    uint64_t reserved[4];   /* 0 */
} swin2sr_plan;

/* Compute the plan of a stream without opening it.
 * options              NULL for the defaults. Borrowed.
 * width_px, height_px  Of the input, 1..65535 each.
 * ret_plan             Filled on success. Untouched on failure.
 * reterr               Details of a failure; may be NULL.
 * threads              Any.
 * errors               _INVALID, _TOO_LARGE (above options->memory_bytes in every way), _NOMEM (above what the GPU of
 *                      the model has left in every way).                           since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_stream_plan(const swin2sr_model *model,
                                                                     const swin2sr_options *options, int32_t width_px,
                                                                     int32_t height_px, swin2sr_plan *ret_plan,
                                                                     swin2sr_error *reterr);

/* Open a stream for one image. All memory is allocated here, none while rows are pushed.
 * model       The stream keeps a reference until it is closed.
 * options     NULL for the defaults. Copied.
 * on_rows     Receives the output, with context as its first argument.
 * ret_stream  Owned by the caller (swin2sr_stream_close). Untouched on failure.
 * reterr      Details of a failure; may be NULL.
 * threads     Any. One thread at a time may use a stream; streams are independent of each other.
 * errors      _INVALID, _TOO_LARGE, _NOMEM.                                          since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_stream_open(swin2sr_model *model,
                                                                     const swin2sr_options *options, int32_t width_px,
                                                                     int32_t height_px, swin2sr_on_rows on_rows,
                                                                     void *context, swin2sr_stream **ret_stream,
                                                                     swin2sr_error *reterr);

/* The plan of an open stream.
 * returns  Borrowed from the stream; constant until it is closed.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const swin2sr_plan *swin2sr_stream_get_plan(const swin2sr_stream *stream);

/* Push input rows, from top to bottom. Blocks while the network processes them; the last row completes the image.
 * rows, stride_bytes, n  n rows of the input pixel type, stride_bytes apart. Borrowed during the call.
 * threads                One at a time per stream.
 * errors                 _INVALID (more rows than the image has, rows is NULL, stride_bytes is less than a row, or
 *                        float rows are not aligned), _CANCELLED, what on_rows returned. After an error only
 *                        swin2sr_stream_close is allowed.                           since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_stream_push(swin2sr_stream *stream, const void *rows,
                                                                     size_t stride_bytes, int32_t n);

/* Free a stream, whether its image is complete or not.
 * stream   NULL is allowed.
 * threads  One at a time per stream.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC void swin2sr_stream_close(swin2sr_stream *stream);

SWIN2SR_END
#endif
