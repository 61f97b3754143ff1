/* SPDX-License-Identifier: Apache-2.0
 * enlarge/animation.h - enlarge all frames of an animation (stages 4 to 8 of 9). Used by the command line and the worker.
 * The first frame is enlarged whole, and of the others what differs from the frame before. What was enlarged before is not
 * enlarged again, as far as 64 MiB can hold it. */
#pragma once

#include "enlarge/enlarge.h"

typedef struct animation_limits {
    int32_t frames;      /* at most; 0: 1000 */
    uint64_t all_pixels; /* of all canvases of the input together, at most; 0: 1000 million */
} animation_limits;

typedef struct animation_report {
    int32_t frames;
    int32_t frames_reused;    /* for which the network had nothing to do */
    uint64_t all_pixels;      /* of all canvases of the input */
    uint64_t enlarged_pixels; /* of these, how many went through the network, with the context around them */
} animation_report;

/* Enlarge an animation held in memory; a still picture is an animation of one frame.
 * options     out.format: GIF, WebP or PNG. aux_sink and shrink_px are not used. The preview is of the first frame.
 * limits      NULL: the defaults.
 * on_progress of the options is told the share of all frames.
 * ret_report, ret_frames  May be NULL. Filled on success.
 * errors      As enlarge_bytes; _TOO_LARGE over a limit; _INVALID if the format cannot hold an animation. */
swin2sr_status animation_enlarge(swin2sr_model *model, const void *data, size_t size, const enlarge_options *options,
                                 const animation_limits *limits, image_sink sink, void *context,
                                 enlarge_report *ret_report, animation_report *ret_frames, swin2sr_error *reterr);
