/* SPDX-License-Identifier: Apache-2.0
 * pool/respawn.h - start workers, note why they fail or end, and replace them (stage 3 of 9, dispatch). */
#pragma once

#include "pool/pool.h"

/* Open the weights and start every worker. The caller has set handler and worker_count. */
void respawn_start_all(pool *self);

/* A worker has reported that it cannot start. */
void respawn_note_failed(pool *self, worker *w, const ipc_failed *failed);

/* A worker has become ready. If it is on a GPU, those on the CPU are no longer wanted. */
void respawn_note_ready(pool *self, worker *w);

/* A worker process has ended: count and log it, then start another one, immediately or after a back-off.
 * item  The job that it had, or NULL. */
void respawn_after_end(pool *self, worker *w, const job *item);

/* End a worker that is no longer wanted. Replace one that has done --recycle jobs, but never two workers of a pool at a time. This bounds the memory that
 * leaks and fragmentation can take. */
void respawn_recycle(pool *self, worker *w);

/* Kill a worker unless its state changes within limit_ms. */
void respawn_limit_ms(pool *self, worker *w, uint64_t limit_ms);
