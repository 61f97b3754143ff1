/* SPDX-License-Identifier: Apache-2.0
 * job/job.h - one image to enlarge, from admission to its result, and the queue of waiting jobs (stage 3, dispatch).
 * The owner (a request) fills in the first part and keeps the job until it is finished or cancelled; the pool fills in
 * the rest. */
#pragma once

#include "ipc/ipc.h"
#include "job/spec.h"
#include "loop/loop.h"
#include "store/store.h"

typedef enum job_state {
    JOB_NEW = 0,
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_FINISHED, /* final; see outcome */
} job_state;

typedef struct job job;
struct job {
    /* set by the owner before pool_submit, then constant, but for the plan: pool/cheaper.h */
    job_spec spec;
    const store_file *input;                     /* borrowed */
    uint64_t cost_us;                            /* predicted, on a worker */
    store *results;                              /* where the result goes; borrowed */
    void (*on_finish)(void *context, job *self); /* once, unless cancelled; may free the job */
    /* Out of IPC_PROGRESS_DONE; first called in an attempt when a worker begins. May be NULL. */
    void (*on_progress)(void *context, job *self, uint32_t millionths);
    void *context;

    /* set by the pool */
    struct network *network;   /* pool/pool.h */
    struct network *undamaged; /* of spec.undamaged_model; NULL: there is no choice */
    job_state state;
    int attempts;                   /* attempts that a worker has begun */
    uint32_t file;                  /* of several pictures, the one at work */
    uint64_t left_out;              /* as in ipc_job */
    uint64_t queued_us, started_us; /* swin2sr__clock_us; started: of the last attempt */
    swin2sr_status outcome;
    char detail[256]; /* of a failure, for the client */
    uint64_t grown_bytes,
        grown_limit_bytes;         /* what its worker took when the server ended it for that, and might take */
    char tried[LIMIT_TRIED_BYTES]; /* the plans that ended so: "whole, strips"; "": none */
    store_file result;             /* of SWIN2SR_OK: the whole output file */
    store_file preview;            /* if one was asked for; of SWIN2SR_OK: done.preview_bytes of it */
    ipc_done done;                 /* of SWIN2SR_OK */
    loop_timer deadline;
    job *previous, *next;
};

/* Make an empty job; job_done removes its result. Neither is allowed while it is queued or running. */
void job_init(job *self);
void job_done(job *self);

/* Remove result and preview. */
void job_drop_files(job *self);

/* The client's traceparent; NULL: it sent none. */
const char *job_trace(const job *self);

typedef struct job_queue {
    job *first, *last;
    size_t count;
    uint64_t cost_us; /* sum over the jobs */
} job_queue;

void job_queue_append(job_queue *queue, job *item);
void job_queue_prepend(job_queue *queue, job *item); /* for a job that has waited before */
void job_queue_remove(job_queue *queue, job *item);
