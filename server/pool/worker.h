/* SPDX-License-Identifier: Apache-2.0
 * pool/worker.h - one worker process seen from the server: start it, talk to it, notice its end (stage 3, dispatch).
 * States: DOWN -> STARTING -> IDLE <-> BUSY, and from anywhere to DOWN when the process ends.
 * A worker is killed by its pidfd, so that no other process that reuses its number is hit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "ipc/ipc.h"
#include "job/job.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

typedef enum worker_state {
    WORKER_DOWN = 0, /* not running; the pool starts it again when its timer is due */
    WORKER_STARTING, /* until READY */
    WORKER_IDLE,
    WORKER_BUSY, /* has a job, or has not yet answered for a cancelled one */
    WORKER_STATE_COUNT
} worker_state;

typedef struct worker worker;

/* What a worker loads: networks inside the program, by name, or one weight file with the config.json beside it, open
 * read-only. */
typedef struct worker_networks {
    const char *names[LIMIT_MODELS]; /* borrowed; NULL after the last */
    int fds[2];                      /* the weights, the config; above the descriptors that the child gets */
    int fd_count;
} worker_networks;

/* Open the files of a path, "" for none.  errors _IO with errno set. */
SWIN2SR_MUST_CHECK swin2sr_status worker_networks_open(const char *path, worker_networks *self);
void worker_networks_close(worker_networks *self);

/* Calls to the pool, on the loop's thread. */
typedef struct worker_handler {
    void (*on_message)(void *context, worker *self, const ipc_message *message);
    void (*on_end)(void *context,
                   worker *self); /* the process is gone; end_reason, end_status are set, state is DOWN */
    void *context;
} worker_handler;

struct worker {
    const worker_handler *handler; /* borrowed */
    event_loop *loop;              /* borrowed */
    worker_state state;
    pid_t pid;
    int pidfd, socket; /* -1 when DOWN */
    loop_watch death, messages;
    loop_timer timer;     /* the pool's: respawn, start limit or cancel limit, by state */
    job *job;             /* BUSY: the job; NULL when it was cancelled */
    uint64_t job_id;      /* BUSY: what answers must name */
    bool has_failed;      /* STARTING: it said why it cannot start */
    bool has_begun;       /* BUSY: it has said something since it was given the job */
    uint32_t failures;    /* deaths since the last finished job */
    uint32_t jobs;        /* given to this process */
    uint32_t ready_count; /* STARTING: networks that it said are ready */
    bool is_renewed;      /* replaced after its number of jobs: counts as there until its successor is ready or fails */
    bool is_killed;       /* by us */
    metrics_restart end_reason; /* _COUNT while nobody has decided on one */
    int end_status;             /* exit code, or minus the signal */
};

void worker_init(worker *self, event_loop *owner, const worker_handler *handler);

/* Start the process. errors _IO with errno set. State STARTING on success. */
SWIN2SR_MUST_CHECK swin2sr_status worker_start(worker *self, const server_config *config,
                                               const worker_networks *networks);

/* Send one message. A worker that does not take it at once is killed, unless it is dead already. */
SWIN2SR_MUST_CHECK swin2sr_status worker_send(worker *self, const ipc_message *message, const int *fds);

/* End the process now; on_end is called later, from the loop. reason _COUNT: to be told from how it ended. */
void worker_kill(worker *self, metrics_restart reason);

/* End the process and wait for it; no callback. For the end of the server. */
void worker_done(worker *self);
