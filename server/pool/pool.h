/* SPDX-License-Identifier: Apache-2.0
 * pool/pool.h - jobs to workers and results back (stage 3 of 9, dispatch).
 * A pool serves one or more networks, which each of its workers holds: it keeps the workers running, gives each idle
 * one the job that has waited longest, watches deadlines, and gives a job whose worker died to another one.
 * Workers may die at any moment. A job always ends: after its second try that had begun, or at its deadline. */
#pragma once

#include "config/config.h"
#include "config/limits.h"
#include "job/job.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "pool/estimate.h"
#include "pool/worker.h"
#include "store/store.h"

typedef struct pool pool;

/* One network that is served. */
typedef struct network {
    const served_model *served; /* borrowed */
    model_metrics *counts;      /* borrowed */
    pool *owner;
    uint32_t index;  /* among those of its pool */
    ipc_ready facts; /* from the workers, once the pool was ready */
    estimate time;
} network;

struct pool {
    network *networks[LIMIT_MODELS]; /* borrowed, as are the next five */
    const server_config *config;
    event_loop *loop;
    server_log *log;
    server_metrics *metrics;
    store *results;
    int network_count; /* 1.. */
    worker_handler handler;
    worker_networks program;
    worker workers[LIMIT_WORKERS];
    int worker_count; /* 1.. */
    job_queue queue;  /* waiting, in order */
    size_t running_count;
    uint64_t next_id;
    bool was_ever_ready;
    bool is_hopeless;              /* the first worker could not even start: the server should end */
    bool is_self_test_failing;     /* the last worker that started got its test picture wrong */
    char fault[LIMIT_FAULT_BYTES]; /* why the last worker did not start, fit for whoever asks; "": it did */
};

/* What its workers, their restarts and its log lines are named after: its first network. */
static inline const char *pool_name(const pool *self) {
    return self->networks[0]->served->name;
}

/* Start the workers. The networks and the other borrowed fields are set. self is not moved afterwards. */
void pool_start(pool *self);

/* Take a job that job_init made and the owner filled. Finishes through job->on_finish, possibly from within this call. */
void pool_submit(network *target, job *item);

/* Forget a job that was submitted, whatever its state: it is not touched after this. Its worker stops within a step of
 * the network. */
void pool_cancel(job *item);

/* End every job that is left with SWIN2SR_BUSY. */
void pool_abandon(pool *self);

bool pool_has_idle(const pool *self); /* a worker would take a job at once */
bool pool_is_ready(const pool *self); /* a worker is there to work */
int pool_count(const pool *self, worker_state state);
size_t pool_waiting(const network *target); /* jobs in the queue for this network */

void pool_done(pool *self); /* after pool_abandon, or when nothing waits and nothing runs */
