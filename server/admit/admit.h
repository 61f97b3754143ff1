/* SPDX-License-Identifier: Apache-2.0
 * admit/admit.h - whether a request and its image are accepted (stage 2 of 9, admit).
 * In: the state of the service; the header of an image.  Out: yes, or the problem.
 * An image is judged by its header and by what the workers measured: this process reads no pixels. */
#pragma once

#include "http/problem.h"
#include "pool/pool.h"
#include "probe/probe.h"

/* ---- admit.c ---- */

/* Does the service accept work for this network now? A refusal says when to try again. */
bool admit_service(const network *target, bool is_draining, problem *ret_problem);

/* May one more request wait for the workers of this network? A refusal says when to try again. */
bool admit_queue(const network *target, problem *ret_problem);

/* Can the image be read, and is it within the limits of this service for this network?
 * limit_us     How long the work may take.
 * ret_cost_us  How long a worker will take, predicted. */
bool admit_image(const network *target, const store_file *upload, uint64_t limit_us, probe_info *ret_info,
                 uint64_t *ret_cost_us, problem *ret_problem);

/* ---- cost.c ---- */

typedef struct admit_cost {
    uint64_t bytes;    /* upper bound of the memory for the image, without the network */
    uint64_t us;       /* expected time on a worker */
    uint64_t least_us; /* lower bound of the time on a worker */
} admit_cost;

/* The cost of an image that is within the limits on pixels. */
admit_cost admit_cost_of(const network *target, const probe_info *info);

/* ---- pace.c ---- */

/* true: a worker is idle, or there is room in the queue. */
bool pace_has_room(const pool *workers);

/* How long a new job would wait for a worker, predicted from the costs of the jobs that wait and run. */
uint64_t pace_wait_us(const pool *workers);

/* A Retry-After: pace_spread_s of the wait, with a random number. */
uint32_t pace_retry_after_s(const pool *workers);

/* A time between half of the wait and all of it, so that clients that were refused together do not return together.
 * returns  1..LIMIT_RETRY_AFTER_S. */
uint32_t pace_spread_s(uint64_t wait_us, uint32_t random);
