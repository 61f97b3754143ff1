/* SPDX-License-Identifier: Apache-2.0
 * admit/admit.h - whether a request and its image are accepted (stage 2 of 9, admit).
 * In: the state of the service; the header of an image.  Out: yes, or the problem.
 * An image is judged by its header and by what the workers measured: this process reads no pixels. */
#pragma once

#include "admit/degrade.h"
#include "format/target.h"
#include "http/problem.h"
#include "pool/pool.h"
#include "probe/probe.h"

/* ---- admit.c ---- */

/* Does the service accept work for this network now? A refusal says when to try again. */
bool admit_service(const network *target, bool is_draining, problem *ret_problem);

/* Is new work accepted at this level of degrading? A job does not wait in the queue. A refusal says when to try again. */
bool admit_level(const network *target, const degrade_state *level, bool is_job, problem *ret_problem);

/* May one more request wait for the workers of this network? A refusal says when to try again. */
bool admit_queue(const network *target, problem *ret_problem);

/* What is asked about an image. */
typedef struct admit_terms {
    uint64_t limit_us; /* how long the work may take */
    bool is_job;       /* jobs are never reduced */
    format_id format;  /* of the result; an animation keeps its own if is_batch and not is_format_given */
    bool is_format_given, is_batch;
    bool is_chosen; /* the picture decides between two networks */
    uint32_t quality;
    bool is_degraded; /* with OVERSIZE_AUTO, reduce an image as soon as it is oversize */
    oversize_choice oversize;
    format_target target;
} admit_terms;

/* How an image will be enlarged, and what that takes. */
typedef struct admit_work {
    format_target target;
    uint64_t decoder_bytes;      /* what the decoder holds, of the whole image, and who looks at it to choose */
    uint32_t tile_px, shrink_px; /* as in job_spec, as are the next two */
    bool may_shrink;
    uint64_t memory_bytes;
    format_id format;            /* of the result */
    bool is_animation;           /* all frames are enlarged */
    uint32_t writer_pixel_bytes; /* what the writer of the result holds, per pixel */
    uint64_t bytes;              /* upper bound of the memory for the image, without the network */
    uint64_t us;                 /* expected time on a worker */
    uint64_t least_us;           /* lower bound of the time on a worker */
} admit_work;

/* Where an image is. */
typedef struct admit_input {
    int fd;
    uint64_t at, bytes;
} admit_input;

/* ret_info  What the header says; with a crop, as if the part were an upright image.
 *
 * Can the image be read, is it within the limits of this service for this network, and how will it be enlarged? */
bool admit_image(const network *target, const admit_input *input, const admit_terms *terms, probe_info *ret_info,
                 admit_work *ret_work, problem *ret_problem);

/* The same where the picture decides between two networks: it must be accepted for both, and counts as what the dearer
 * one takes. other  NULL: there is no choice. */
bool admit_chosen(const network *target, const network *other, const admit_input *input, const admit_terms *terms,
                  probe_info *ret_info, admit_work *ret_work, problem *ret_problem);

/* What several images take together. */
typedef struct admit_sum {
    uint64_t in_pixels, out_pixels;
    admit_work work; /* us and least_us are sums; may_shrink: of any of them */
} admit_sum;

void admit_sum_add(admit_sum *self, const network *target, const probe_info *info, const admit_work *work);

/* Are they within the limits together, too? */
bool admit_sum_check(const admit_sum *self, const network *target, uint64_t limit_us, problem *ret_problem);

/* ---- cost.c ---- */

/* Fill in bytes and times of an image that is within the limits on pixels, with the present tile_px and shrink_px. */
void cost_predict(const network *target, const probe_info *info, admit_work *work);

/* The memory that the decoder of a whole image holds, and of an animation its canvases. */
uint64_t cost_decoder_bytes(const probe_info *info, bool is_animation);

/* Bytes of each sample of the rows that strips and tiles hold. */
uint32_t cost_sample_bytes(const probe_info *info);

/* The size of the result. */
void cost_out_size(const network *target, const probe_info *info, const admit_work *work, int32_t *ret_width_px,
                   int32_t *ret_height_px);

/* The memory that the codecs hold: decoder_bytes, and writer_pixel_bytes of the result. */
uint64_t cost_held_bytes(const network *target, const probe_info *info, const admit_work *work);

/* The least memory with which the network can enlarge a column of strips of it: an upper bound. */
uint64_t cost_strips_bytes(const network *target, const probe_info *info);

/* ---- pace.c ---- */

/* true: a worker is idle, or there is room in the queue. */
bool pace_has_room(const pool *workers);

/* How long a new job would wait for a worker, predicted from the costs of the jobs that wait and run. */
uint64_t pace_wait_us(const pool *workers);

/* A Retry-After: pace_spread_s of a wait, or of that of a new job, with a random number. */
uint32_t pace_retry_in_s(uint64_t wait_us);
uint32_t pace_retry_after_s(const pool *workers);

/* A time between half of the wait and all of it, so that clients that were refused together do not return together.
 * returns  1..LIMIT_RETRY_AFTER_S. */
uint32_t pace_spread_s(uint64_t wait_us, uint32_t random);
