/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/worker_that_tries.c - replaces worker/work.c in a worker for tests/server/test_sandbox.py.
 * A job with quality N makes attempt N; if the worker survives it, the job fails, and its detail has the errno. Jobs with
 * a quality beyond the last attempt are honest work. */
#include <stdio.h>

#define work_run work_honestly
#include "../../../worker/work.c"
#undef work_run

#include "attempts.h"

void work_run(int socket, const networks *all, swin2sr_threads *threads, const ipc_job *job, const int fds[IPC_JOB_FDS],
              ipc_message *ret_message);

static pid_t server;

/* A locked worker may not ask. */
__attribute__((constructor)) static void note_server(void) {
    server = getppid();
}

void work_run(int socket, const networks *all, swin2sr_threads *threads, const ipc_job *job, const int fds[IPC_JOB_FDS],
              ipc_message *ret_message) {
    if (job->quality > attempts_count) {
        work_honestly(socket, all, threads, job, fds, ret_message);
        return;
    }
    const attempt *chosen = &attempts[job->quality - 1];
    work self = {.socket = socket, .job = job};
    work_say_progress(&self, 0, 0);
    int error = chosen->run(fds[0], server);
    *ret_message = (ipc_message){.type = IPC_FAILED, .failed = {.id = job->id, .status = SWIN2SR_UNSUPPORTED}};
    snprintf(ret_message->failed.detail, sizeof ret_message->failed.detail, "%s: errno %d", chosen->name, error);
}
