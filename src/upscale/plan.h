/* SPDX-License-Identifier: Apache-2.0
 * upscale/plan.h - how an image is processed: whole, in strips or in tiles (stage 5 of 9).
 * In: model, options, size.  Out: the engine's options for each piece, the grid of pieces, exact memory. */
#pragma once

#include "engine/engine.h"
#include "upscale/cut.h"
#include "upscale/margin.h"
#include <swin2sr/stream.h>

typedef struct swin2sr__layout {
    swin2sr__engine_options engine; /* of the whole image with its margin; size and callbacks are set for each piece */
    swin2sr__margin margin;
    swin2sr__cut columns, bands;
    swin2sr__engine_bytes engine_bytes;      /* of the largest piece */
    size_t budget_bytes;                     /* what memory_bytes of the plan may not exceed; 0: no limit */
    bool is_device_limit;                    /* it is what the GPU has left, and not the caller's budget */
    swin2sr_pixel input_pixel, output_pixel; /* of the caller; those of the network are in engine */
    swin2sr_plan plan;
} swin2sr__layout;

/* The network as its device runs it; lives as long as the model. */
const swin2sr__packed *swin2sr__model_packed(const swin2sr_model *model);

/* errors: _INVALID, _TOO_LARGE (for the caller's budget), _NOMEM (for what a GPU has left). */
swin2sr_status swin2sr__plan_layout(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                    int32_t height_px, swin2sr__layout *ret_layout, swin2sr_error *reterr);
