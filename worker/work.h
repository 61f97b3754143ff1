/* SPDX-License-Identifier: Apache-2.0
 * work.h - a job at work: one picture, or several that become a ZIP (stages 4 decode to 8 encode of 9). */
#pragma once

#include <stdbool.h>

#include "enlarge/animation.h"
#include "worker.h"

typedef struct work {
    int socket;
    const ipc_job *job;
    swin2sr_model *model, *undamaged; /* the second: as of enlarge_options */
    swin2sr_threads *threads;
    double before, share; /* of all work: what has been done, and that of the picture at work */
    uint32_t file;        /* of several, the one at work */
    uint64_t progress_us; /* when PROGRESS was last sent */
    bool is_cancelled;
} work;

/* One picture of a job, and how it is to be enlarged. */
typedef struct work_picture {
    const void *data;
    size_t size;
    uint32_t format, frames_max, tile_px, shrink_px; /* as in ipc_job, as is the next one */
    uint64_t memory_bytes;
    image_sink sink;
    void *context;
    image_sink preview_sink; /* NULL: no preview */
    void *preview_context;
} work_picture;

/* ---- picture.c ---- */

/* Send PROGRESS.  flags  MSG_DONTWAIT or 0. */
void work_say_progress(work *self, double done, int flags);

/* ret_done  All but id, bytes and files.
 * errors    Those of enlarge_bytes and animation_enlarge. */
swin2sr_status work_enlarge(work *self, const work_picture *picture, ipc_done *ret_done, swin2sr_error *reterr);

/* ---- several.c ---- */

/* Enlarge the pictures of a bundle into a ZIP. One that fails is a problem document in it.
 * data    The input of the job.
 * errors  _INVALID (all have failed), _TOO_LARGE (the ZIP would have 4 GiB), _IO, _CANCELLED, _NOMEM, _CORRUPT. */
swin2sr_status several_enlarge(work *self, const void *data, int out_fd, ipc_done *ret_done, swin2sr_error *reterr);
