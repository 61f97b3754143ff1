/* SPDX-License-Identifier: Apache-2.0
 * pool/pool.h - jobs to workers and results back (stage 3 of 9, dispatch).
 * A pool serves one model: it keeps its N workers running, gives each idle one the job that has waited longest, watches
 * deadlines, and gives a job whose worker died to another one. Workers may die at any moment; a job always ends: after its second try that had
 * begun, or at its deadline. */
#ifndef SWIN2SR_SERVER_POOL_H
#define SWIN2SR_SERVER_POOL_H

#include "config/config.h"
#include "config/limits.h"
#include "job/job.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "pool/worker.h"
#include "store/store.h"

typedef struct pool {
    const served_model *served; /* this and the next six: borrowed */
    const server_config *config;
    event_loop *loop;
    server_log *log;
    server_metrics *metrics;
    model_metrics *counts; /* its own in metrics */
    store *results;
    worker_handler handler;
    worker_weights weights;
    worker workers[LIMIT_WORKERS];
    int worker_count; /* 1.. */
    job_queue queue;  /* waiting, in order */
    size_t running_count;
    uint64_t next_id;
    ipc_ready model;           /* what the workers said last; us_per_megapixel goes on with what jobs really take */
    bool was_ever_ready;       /* model is filled */
    bool is_hopeless;          /* the first worker could not even start: the server should end */
    bool is_self_test_failing; /* the last worker that started got its test picture wrong */
} pool;

/* index: the model's, in config->models and in metrics->models. */
void pool_init(pool *self, int index, const server_config *config, event_loop *loop, server_log *log,
               server_metrics *metrics, store *results);

/* Take a job that job_init made and the owner filled. Finishes through job->on_finish, possibly from within this call. */
void pool_submit(pool *self, job *item);

/* Forget a job, whatever its state: it is not touched after this. Its worker stops within a step of the network. */
void pool_cancel(pool *self, job *item);

/* End every job that is left with SWIN2SR_BUSY. */
void pool_abandon(pool *self);

bool pool_has_idle(const pool *self); /* a worker would take a job at once */
int pool_count(const pool *self, worker_state state);
bool pool_is_ready(const pool *self); /* a worker is there to work */

void pool_done(pool *self); /* after pool_abandon, or when nothing waits and nothing runs */

#endif
