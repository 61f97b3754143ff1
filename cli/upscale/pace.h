/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/pace.h - how long images will take, before they are enlarged.
 * In: a model, and the sizes of images from their headers.  Out: seconds, from a small picture that is enlarged once with
 * the same options. Sums, so that a folder costs one measurement. */
#pragma once

#include "probe/probe.h"
#include "run.h"

typedef struct upscale_pace {
    double s_per_gmac;
    double s_per_out_px; /* joining and encoding */
} upscale_pace;

/* The work of some images. */
typedef struct upscale_work {
    size_t images;
    double gmac, in_px, out_px;
} upscale_work;

/* As swin2sr_stream_plan, or ensemble_plan where that is wanted. */
swin2sr_status pace_plan(const upscale_run *run, int32_t width_px, int32_t height_px, swin2sr_plan *ret_plan,
                         swin2sr_error *reterr);

/* The options of the engine for this run, with the pixels of the network. */
swin2sr_options pace_engine(const upscale_run *run);

/* Enlarge a small synthetic picture, which has about 12 GMAC.  errors: those of stream.h. */
swin2sr_status pace_measure(const upscale_run *run, upscale_pace *ret_pace, swin2sr_error *reterr);

double pace_seconds(const upscale_pace *pace, const upscale_work *work);

/* Add one image of this size. One that the engine would refuse adds nothing. */
void pace_add(const upscale_run *run, int32_t width_px, int32_t height_px, upscale_work *work);

/* Read the header of a file. false: it cannot be read, it is no image, or it is a pipe, a device or standard input. */
bool pace_probe(const char *path, probe_info *ret_info);

/* Add the image of a file, by its header. A file that cannot be read, or standard input, adds nothing. */
void pace_add_file(const upscale_run *run, const char *path, upscale_work *work);

/* "4 min", "1 h 20 min", "35 s", "0.4 s". */
void pace_text(double seconds, char ret_text[32]);

/* Tell on stderr how long all inputs will take, if that is more than half a minute. */
void pace_tell(const upscale_run *run);
