/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/worker_that_grows.c - replaces worker/work.c in a worker for tests/server/test_memory.py.
 * A job with quality 1 takes more and more memory, whatever its plan is. With quality 2 it does so only where the image
 * is enlarged as a whole, with quality 3 except in tiles, with quality 4 only where it is not reduced. Other jobs are
 * honest work. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define work_run work_honestly
#include "../../../worker/work.c"
#undef work_run

#define PIECE_BYTES ((size_t)16 << 20)
#define PIECE_US 10000                    /* from one piece to the next: 1.6 GB per second */
#define MOST_BYTES ((size_t)5 << 30)      /* if nobody ends the worker */
#define STRIPS_BYTES ((uint64_t)96 << 20) /* the tests give whole images more than this, and strips less */

void work_run(int socket, const networks *all, swin2sr_threads *threads, const ipc_job *job, const int fds[IPC_JOB_FDS],
              ipc_message *ret_message);

static bool is_whole(const ipc_job *job) {
    return job->tile_px == 0 && (job->memory_bytes == 0 || job->memory_bytes > STRIPS_BYTES);
}

static bool grows(const ipc_job *job) {
    return job->quality == 1 || (job->quality == 2 && is_whole(job)) || (job->quality == 3 && job->tile_px == 0) ||
           (job->quality == 4 && job->shrink_px == 0);
}

/* The memory is never given back. */
static void grow(void) {
    for (size_t bytes = 0; bytes < MOST_BYTES; bytes += PIECE_BYTES) {
        uint64_t next_us = swin2sr__clock_us() + PIECE_US;
        void *piece = aligned_alloc(PIECE_BYTES, PIECE_BYTES);
        if (piece) {
            madvise(piece, PIECE_BYTES, MADV_HUGEPAGE); /* thousands of page faults would take half a minute */
            memset(piece, 1, PIECE_BYTES);
        }
        while (swin2sr__clock_us() < next_us)
            sched_yield();
    }
}

void work_run(int socket, const networks *all, swin2sr_threads *threads, const ipc_job *job, const int fds[IPC_JOB_FDS],
              ipc_message *ret_message) {
    work self = {.socket = socket, .job = job};
    work_say_progress(&self, 0, 0);
    if (grows(job))
        grow();
    work_honestly(socket, all, threads, job, fds, ret_message);
}
