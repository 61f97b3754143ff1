/* SPDX-License-Identifier: Apache-2.0
 * pool/pool.h - jobs to workers and results back (stage 3 of 9, dispatch).
 * A pool serves one or more networks, and each of its workers holds all of them. It keeps the workers running, gives
 * each idle worker the job that has waited longest, enforces deadlines, and gives a job whose worker died to another
 * worker. Workers may die at any time. Every job ends, at the latest at its deadline.
 * With GPUs, a pool has one worker for each. Those of the CPU run only while none of a GPU can be used. */
#pragma once

#include "format/choice.h"
#include "log/log.h"
#include "pool/estimate.h"
#include "pool/worker.h"

#define POOL_WORKERS_MAX (LIMIT_WORKERS + LIMIT_DEVICES)

typedef struct pool pool;

/* One network that is served. */
typedef struct network {
    const served_model *served; /* borrowed */
    model_metrics *counts;      /* borrowed */
    pool *owner;
    uint32_t index;  /* among the networks of its pool */
    ipc_ready facts; /* from the workers; valid once the pool was ready */
    estimate time;
} network;

struct pool {
    network *networks[LIMIT_MODELS]; /* borrowed, as are the next five */
    const server_config *config;
    const device_list *devices;
    event_loop *loop;
    server_log *log;
    server_metrics *metrics;
    int network_count; /* 1.. */
    worker_handler handler;
    worker_networks program;
    worker workers[POOL_WORKERS_MAX]; /* first those of the devices */
    int worker_count;                 /* 1.. */
    job_queue queue;                  /* waiting jobs, in order */
    size_t running_count;
    uint64_t next_id;
    uint64_t growth_limit_bytes; /* memory by which a worker may grow for one image; 0: not known yet */
    bool was_ever_ready;
    bool is_hopeless;              /* no worker will ever start: the server ends */
    bool is_self_test_failing;     /* the worker that started last failed its self-test */
    char fault[LIMIT_FAULT_BYTES]; /* why the last worker did not start, safe to show to clients; "": it started */
};

/* The name of a pool in metrics, logs and /readyz: that of its first network. */
static inline const char *pool_name(const pool *self) {
    return self->networks[0]->served->name;
}

/* Ends of its workers for this reason. */
static inline uint64_t pool_restarts(const pool *self, metrics_restart reason) {
    return self->networks[0]->counts->worker_restarts[reason];
}

/* Start the workers. The caller has set the borrowed fields and does not move self afterwards. */
void pool_start(pool *self);

/* The network that made the result of a finished job. */
static inline network *pool_used(const job *item) {
    return item->done.choice == CHOICE_UNDAMAGED ? item->undamaged : item->network;
}

/* Submit a job whose first part the owner has filled in. Its on_finish may be called before this returns. */
void pool_submit(network *target, job *item);

/* Cancel a submitted job, whatever its state. The pool does not touch it afterwards, and its worker stops within one
 * step of the network. */
void pool_cancel(job *item);

/* Finish all remaining jobs with SWIN2SR_BUSY. */
void pool_abandon(pool *self);

/* End a worker that has grown too much. Its job is tried once more with a cheaper plan. */
void pool_end_grown(pool *self, worker *w);

bool pool_has_idle(const pool *self);                 /* a worker would take a job now */
bool pool_is_ready(const pool *self);                 /* at least one worker has started */
int pool_count(const pool *self, worker_state state); /* DOWN: without those that rest */
int pool_wanted_count(const pool *self);              /* workers that are not resting, 1.. */
size_t pool_waiting(const network *target);           /* jobs in the queue for this network */

void pool_done(pool *self); /* when no job waits or runs */
