/* SPDX-License-Identifier: Apache-2.0
 * base/pool.h - a fixed set of threads that run the tasks of one job at a time.
 * In: a function and a count.  Out: the function called once for each task, on any thread, in no order.
 * Threads spin briefly before they sleep: between two layers of the network the next job is microseconds away. */
#ifndef SWIN2SR_BASE_POOL_H
#define SWIN2SR_BASE_POOL_H

#include <stdint.h>

#include <swin2sr/status.h>

typedef struct swin2sr__pool swin2sr__pool;

/* task is 0..count-1; thread is 0..threads-1 and names the scratch memory the task may use. */
typedef void (*swin2sr__task)(void *context, uint32_t task, uint32_t thread);

/* threads counts the caller of _run; threads - 1 are started. errors: _NOMEM. */
swin2sr_status swin2sr__pool_new(uint32_t threads, swin2sr__pool **ret_pool);
/* Blocks until every task has returned. One caller at a time. */
void swin2sr__pool_run(swin2sr__pool *pool, swin2sr__task task, void *context, uint32_t count);
uint32_t swin2sr__pool_threads(const swin2sr__pool *pool);
void swin2sr__pool_free(swin2sr__pool *pool);

#endif
