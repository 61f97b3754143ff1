/* SPDX-License-Identifier: Apache-2.0
 * enlarge/enlarge.h - enlarge one image file: decode, upscale, encode (stages 4 to 8 of 9). Used by the command line
 * and the worker. Rows are passed on as they come: only the codecs and the engine hold more than a few. */
#pragma once

#include "format/choice.h"
#include "format/metadata.h"
#include "format/target.h"
#include "image/image.h"
#include <swin2sr/swin2sr.h>

#define ENLARGE_DEFAULT_OUT_PIXELS 800000000u

typedef struct enlarge_options {
    swin2sr_options engine;   /* enlarge_bytes sets pixel types and progress */
    image_writer_options out; /* enlarge_bytes sets what is said about the rows, and the threads */
    format_target target;     /* the part of the input, the size of the output, and how strong the network is in it */
    image_limits limits;      /* of the input; zeroes: the defaults of image.h */
    uint64_t out_pixels;      /* of the output, at most; 0: ENLARGE_DEFAULT_OUT_PIXELS */
    uint32_t metadata;        /* bits of format/metadata.h; they decide limits.to_srgb */
    /* An image with a longer side is reduced to this side and padded to a square for the network; the pad is cut off the
     * output. 0: never. */
    int32_t shrink_px;
    swin2sr_on_progress on_progress;
    void *progress_context;
    /* Receives the second image of a model that has one, as a file of the output's format, with the network's channels
     * and without transparency; NULL: not wanted. */
    image_sink aux_sink;
    void *aux_context;
    /* Receives a JPEG of the output whose longer side is at most preview_side_px, if the output's is longer. */
    image_sink preview_sink;
    void *preview_context;
    int32_t preview_side_px; /* 256..; 0: not wanted */
    /* Enlarges pictures that are surely undamaged, in place of the model. It has the model's scale and channels. NULL:
     * the model enlarges every picture. */
    swin2sr_model *undamaged_model;
    bool is_ensemble; /* the mean of eight runs (ensemble.h); not with aux_sink */
    /* In place of data, and of sink; NULL: not used. enlarge_bytes closes them, whatever the outcome. */
    image_reader *reader;
    image_writer *writer;
} enlarge_options;

typedef struct enlarge_report {
    int32_t in_width_px, in_height_px; /* upright; of the part that was enlarged */
    int32_t out_width_px, out_height_px;
    int32_t channels;     /* of the output file */
    bool is_shrunk;       /* the image was reduced before it was enlarged */
    choice_reason choice; /* CHOICE_NONE without undamaged_model; CHOICE_UNDAMAGED: it was used */
    uint32_t notes;       /* bits of format/note.h: what the output does not keep, and what is wrong with the input */
    const char *damage;   /* what is wrong with the input although all of its rows were read; NULL: nothing */
    swin2sr_plan plan;
    uint64_t decode_us, infer_us, encode_us;
} enlarge_report;

/* Enlarge one image file held in memory.
 * model       Any model, wherever undamaged_model is not used; grey input goes through a colour model as three equal channels and comes out grey.
 * sink        Receives the output file's bytes in order.
 * ret_report  May be NULL. Filled on success.
 * errors      Those of image.h and stream.h; the detail may be shown to clients. */
swin2sr_status enlarge_bytes(swin2sr_model *model, const void *data, size_t size, const enlarge_options *options,
                             image_sink sink, void *context, enlarge_report *ret_report, swin2sr_error *reterr);
