/* SPDX-License-Identifier: Apache-2.0
 * base/threads.h - a fixed set of threads that run numbered tasks.
 * In: a function and a count.  Out: the function called once for each task, on any thread, in no order.
 * Idle threads poll briefly before they sleep, because the next layer's tasks follow within microseconds. */
#pragma once

#include <pthread.h>
#include <stddef.h>

#include <swin2sr/threads.h>

#define SWIN2SR__MAX_THREADS 256

/* task is 0..count-1; thread is 0..threads-1 and names the scratch memory that the task may use. */
typedef void (*swin2sr__task)(void *context, uint32_t task, uint32_t thread);
/* pthread_create, or a function that replaces it in tests. */
typedef int (*swin2sr__thread_create)(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
                                      void *argument);

/* count  1..; the caller of _run is one of them, so count - 1 are started. If fewer can be started, those are used.
 * errors: _NOMEM. */
swin2sr_status swin2sr__threads_start(uint32_t count, swin2sr__thread_create create, swin2sr_threads **ret_threads);
/* The cores of the affinity mask, or fewer if a cgroup (v1 or v2) allows less processor time; at least 1. */
int swin2sr__cores_usable(void);
/* The number of threads that a caller's count means; 0 means the usable cores. */
uint32_t swin2sr__threads_wanted(int32_t count);
/* Blocks until every task has returned. One caller at a time. */
void swin2sr__threads_run(swin2sr_threads *threads, swin2sr__task task, void *context, uint32_t count);
/* How many there are, including the caller of _run. */
uint32_t swin2sr__threads_count(const swin2sr_threads *threads);
/* Why there are fewer threads than wanted, as text for people; "" if all were started. */
void swin2sr__threads_describe_missing(const swin2sr_threads *threads, char *ret_text, size_t text_bytes);
