/* SPDX-License-Identifier: Apache-2.0
 * job/job.h - one image to enlarge, from admission to its result, and the line of those that wait (stage 3, dispatch).
 * The owner (a request) sets what to do and keeps the job until it is finished or cancelled; the pool does the rest. */
#ifndef SWIN2SR_SERVER_JOB_H
#define SWIN2SR_SERVER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/ipc.h"
#include "loop/loop.h"
#include <swin2sr/status.h>

typedef enum job_state {
    JOB_NEW = 0,
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_FINISHED, /* outcome says how; never changes again */
} job_state;

typedef struct job job;
struct job {
    /* what to do: set by the owner before pool_submit, then constant */
    const char *request_id;                      /* for the logs; borrowed */
    const char *trace;                           /* the same; the client's traceparent, or NULL */
    int in_fd;                                   /* the input file; borrowed */
    ipc_job order;                               /* all but the id */
    uint64_t limit_us;                           /* how long it may take from submit to finish */
    uint64_t sender;                             /* whose promised place it takes (pool/promise.h) */
    void (*on_finish)(void *context, job *self); /* once, unless cancelled; may free the job */
    void *context;

    /* what became of it: set by the pool */
    struct pool *owner;
    job_state state;
    int attempts; /* tries that a worker has begun; one that died before that costs the job nothing */
    uint64_t queued_us, started_us, finished_us; /* swin2sr__clock_us; started: of the last attempt */
    double progress;                             /* 0..1 */
    swin2sr_status outcome;
    char detail[200]; /* with a failure: fit for the client */
    int out_fd;       /* with SWIN2SR_OK: the whole output; whoever takes it sets -1 */
    ipc_done done;    /* with SWIN2SR_OK */
    loop_timer deadline;
    job *previous, *next;
};

/* Make an empty job; job_done closes the output when nobody took it. Neither is allowed while queued or running. */
void job_init(job *self);
void job_done(job *self);

typedef struct job_queue {
    job *first, *last;
    size_t count;
} job_queue;

void job_queue_append(job_queue *queue, job *item);
void job_queue_prepend(job_queue *queue, job *item); /* for one that has waited before */
void job_queue_remove(job_queue *queue, job *item);

#endif
