/* SPDX-License-Identifier: Apache-2.0
 * pool/worker.h - one worker process: start it, exchange messages, notice its end (stage 3 of 9, dispatch).
 * States: DOWN -> STARTING -> IDLE <-> BUSY, and from each to DOWN when the process ends.
 * Signals go through a pidfd, so that they cannot reach another process that reuses the pid. */
#pragma once

#include <sys/types.h>

#include "config/config.h"
#include "job/job.h"
#include "metrics/metrics.h"
#include "pool/devices.h"

#define WORKER_FIRST_FREE_FD 7 /* a worker gets others below it */

typedef enum worker_state {
    WORKER_DOWN = 0, /* not running; started again when its timer is due */
    WORKER_STARTING, /* until it has sent READY for each network */
    WORKER_IDLE,
    WORKER_BUSY, /* has a job, or has not yet answered for a cancelled one */
    WORKER_STATE_COUNT
} worker_state;

typedef struct worker worker;

/* The networks that a worker loads: built-in ones by name, or one from a weight file with the config.json beside it,
 * both open for reading. */
typedef struct worker_networks {
    const char *names[LIMIT_MODELS]; /* borrowed; NULL after the last */
    int fds[2];                      /* the weights, the config */
    int fd_count;
} worker_networks;

/* Open the weight file at path and its config.json; "": the networks are built in.  errors _IO with errno set. */
SWIN2SR_MUST_CHECK swin2sr_status worker_networks_open(const char *path, worker_networks *self);
void worker_networks_close(worker_networks *self);

/* Called on the loop's thread. */
typedef struct worker_handler {
    void (*on_message)(void *context, worker *self, const ipc_message *message);
    void (*on_end)(void *context, worker *self); /* state is DOWN, end_reason and end_status are set */
    void *context;
} worker_handler;

struct worker {
    const worker_handler *handler; /* borrowed */
    event_loop *loop;              /* borrowed */
    worker_state state;
    pid_t pid;
    int pidfd, socket; /* -1 when DOWN */
    int memory_fd;     /* /proc/PID/statm, open from READY on; -1: not open */
    loop_watch death, messages;
    loop_timer timer;              /* set by the pool: respawn, start limit or cancel limit, depending on the state */
    job *job;                      /* BUSY: its job; NULL: the job was cancelled */
    uint64_t job_id;               /* BUSY: the id that messages must have */
    bool has_failed;               /* it has sent FAILED when it started, or for lack of memory of its GPU */
    bool is_overdue;               /* BUSY: its job was withdrawn because its time had passed */
    bool has_begun;                /* BUSY: it has sent a message since it was given the job */
    uint32_t progress;             /* of its job: the millionths of the last progress and 1; 0: none yet */
    uint32_t failures;             /* ends since the last finished job */
    uint32_t jobs;                 /* number of jobs given to this process */
    uint32_t ready_count;          /* number of networks that are ready */
    uint32_t makers[LIMIT_MODELS]; /* of each network that is ready: what computes it, as ipc_done.maker */
    worker_device device;
    bool is_resting;            /* not wanted now: of the CPU, because GPUs work; of a GPU, because it is set aside */
    uint64_t memory_bytes;      /* of the process, as worker_measure; 0: unknown */
    uint64_t baseline_bytes;    /* the same when it was ready */
    bool is_renewed;            /* being replaced after --recycle jobs; the pool counts as ready meanwhile */
    bool is_killed;             /* the server has killed it */
    metrics_restart end_reason; /* _COUNT: to be derived from end_status */
    int end_status;             /* exit code, or the negated signal number */
};

void worker_init(worker *self, event_loop *owner, const worker_handler *handler);

/* Start the process; its state is then STARTING.  errors _IO with errno set. */
SWIN2SR_MUST_CHECK swin2sr_status worker_start(worker *self, const server_config *config,
                                               const worker_networks *networks);

/* Start a process that names the GPUs of this machine on the socket and ends.  errors _IO with errno set. */
SWIN2SR_MUST_CHECK swin2sr_status worker_spawn_finder(const server_config *config, int *ret_socket, pid_t *ret_pid);

/* End such a process and wait for its end. */
void worker_end_finder(pid_t pid);

/* Send one message. A worker whose socket is full or closed is killed. */
SWIN2SR_MUST_CHECK swin2sr_status worker_send(worker *self, const ipc_message *message, const int *fds);

/* The worker is ready: begin to watch its memory, from this baseline. */
void worker_watch_memory(worker *self);

/* Set memory_bytes: what the process holds that only it can free. Pages of files, such as the upload, are not counted,
 * because the kernel can drop them, or because the spool counts them. */
void worker_measure(worker *self);

/* By how much a worker has grown since it was ready. */
static inline uint64_t worker_growth_bytes(const worker *self) {
    return self->memory_bytes > self->baseline_bytes ? self->memory_bytes - self->baseline_bytes : 0;
}

/* Kill the process. on_end is called later, from the loop. reason _COUNT: derive it from how the process ended. */
void worker_kill(worker *self, metrics_restart reason);

/* Kill the process and wait for its end, without a callback. */
void worker_done(worker *self);
