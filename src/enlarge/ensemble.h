/* SPDX-License-Identifier: Apache-2.0
 * enlarge/ensemble.h - enlarge one picture eight times, turned and mirrored, and take the mean (stage 6 of 9, engine).
 * In: rows of the network's samples.  Out: all rows of the mean, as floats before anything is rounded, after the last
 * input row. It takes eight times as long as one run, and memory for the whole picture: ensemble_bytes. */
#pragma once

#include <swin2sr/swin2sr.h>

#define ENSEMBLE_TURNS 8

typedef struct ensemble ensemble;

/* What ensemble_open allocates, with the streams that it opens one after the other.
 * ret_plan  Of the stream that takes the most; memory_bytes: of everything; latency_rows: the height; gmac: of all turns.
 * errors    Those of swin2sr_stream_plan; _TOO_LARGE: more than options->memory_bytes, the detail has both numbers. */
swin2sr_status ensemble_plan(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                             int32_t height_px, swin2sr_plan *ret_plan, swin2sr_error *reterr);

/* As swin2sr_stream_open. Pixels are grey or RGB; on_aux_rows is not used.
 * errors  Those of ensemble_plan; _TOO_LARGE: more memory than is free, the detail has both numbers; _NOMEM. */
swin2sr_status ensemble_open(swin2sr_model *model, const swin2sr_options *options, int32_t width_px, int32_t height_px,
                             swin2sr_on_rows on_rows, void *context, ensemble **ret_ensemble, swin2sr_error *reterr);

const swin2sr_plan *ensemble_get_plan(const ensemble *self);

/* As swin2sr_stream_push. */
swin2sr_status ensemble_push(ensemble *self, const void *rows, size_t stride_bytes, int32_t n);

void ensemble_close(ensemble *self); /* NULL is fine */
