/* SPDX-License-Identifier: Apache-2.0
 * admit/pace.h - whether the queue has room, and when a refused client should come back (stage 2 of 9, admit).
 * The wait is predicted from the cost of each job that waits or runs, so it is known before any job has finished. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

/* Is a worker idle, or a place in the queue free? */
bool pace_has_room(const pool *workers);

/* How long a job that came now would wait for a worker. */
uint64_t pace_wait_us(const pool *workers);

/* A Retry-After: pace_spread_s of the wait, with a random number of the system. */
uint32_t pace_retry_after_s(const pool *workers);

/* Whole seconds between half of the wait and all of it, by a random number, so that clients that were refused together
 * do not come back together.  returns 1..LIMIT_RETRY_AFTER_S. */
uint32_t pace_spread_s(uint64_t wait_us, uint32_t random);
