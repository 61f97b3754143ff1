/* SPDX-License-Identifier: Apache-2.0
 * pool/respawn.h - workers start, fail to start, end and are replaced (stage 3 of 9, dispatch). */
#pragma once

#include "pool/pool.h"

/* Open the weights and start every worker. handler and worker_count are set. */
void respawn_start_all(pool *self);

/* A worker said that it cannot start. */
void respawn_note_failed(pool *self, worker *w, const ipc_failed *failed);

/* A worker's process is gone: count it, log it, and start another one, at once or after a pause.
 * item  The job that it held, or NULL. */
void respawn_after_end(pool *self, worker *w, const job *item);

/* End a worker that has done its number of jobs, but never two of a pool at a time: memory that leaks or fragments does
 * not grow for long. */
void respawn_recycle(pool *self, worker *w);

/* End a worker unless its state changes within the time. */
void respawn_limit_ms(pool *self, worker *w, uint64_t limit_ms);
