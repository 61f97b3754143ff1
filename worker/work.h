/* SPDX-License-Identifier: Apache-2.0
 * work.h - one job in a worker: input descriptor in, output descriptor out, progress and cancel in between. */
#pragma once

#include "ipc/ipc.h"
#include <swin2sr/swin2sr.h>

/* Run one job and make its answer, DONE or FAILED.
 * socket        To the server: progress goes out, CANCEL may come in. Its end cancels too.
 * fds           Input and output of the job. Borrowed.
 * threads       Of the engine.
 * ret_message   The answer, for ipc_send. */
void work_run(int socket, swin2sr_model *model, int32_t threads, const ipc_job *job, const int fds[IPC_JOB_FDS],
              ipc_message *ret_message);
