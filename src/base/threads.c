/* SPDX-License-Identifier: Apache-2.0
 * base/threads.c - a fixed set of worker threads.
 * `remaining` is the whole protocol. A thread that lowers it by one owns a task. The fields of the run cannot change
 * while any task is owned, because the next run starts only after `finished` has reached `count`. A thread that slept
 * through a whole run therefore needs no handshake: it reads the fields only after it owns a task. */
#include "base/threads.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/error.h"

#define SPIN_US 100 /* how long an idle thread polls for the next run before it sleeps */

struct swin2sr_threads {
    swin2sr__task task;
    void *context;
    uint32_t count;
    _Alignas(64) atomic_uint remaining;
    _Alignas(64) atomic_uint finished;
    atomic_uint sleepers;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* held to sleep and to wake sleepers, not while tasks run */
    pthread_cond_t wake;
    uint32_t wanted, started; /* the caller's thread counts as wanted, not as started */
    int start_error;          /* errno of the start that failed; 0: all were started */
    struct member {
        swin2sr_threads *threads;
        uint32_t index;
        pthread_t handle;
    } members[];
};

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Take one task and run it; false if none is left. */
static bool run_one(swin2sr_threads *threads, uint32_t thread) {
    unsigned left = atomic_load_explicit(&threads->remaining, memory_order_relaxed);
    do {
        if (!left)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&threads->remaining, &left, left - 1, memory_order_acquire,
                                                    memory_order_relaxed));
    threads->task(threads->context, threads->count - left, thread);
    atomic_fetch_add_explicit(&threads->finished, 1, memory_order_release);
    return true;
}

static bool has_news(swin2sr_threads *threads) {
    return atomic_load(&threads->remaining) || atomic_load(&threads->is_stopping);
}

static void wait_for_news(swin2sr_threads *threads) {
    uint64_t until_us = swin2sr__clock_us() + SPIN_US;
    do {
        for (int i = 0; i < 64; i++) {
            if (has_news(threads))
                return;
            pause_briefly();
        }
    } while (swin2sr__clock_us() < until_us);
    pthread_mutex_lock(&threads->lock);
    atomic_fetch_add(&threads->sleepers, 1);
    while (!has_news(threads))
        pthread_cond_wait(&threads->wake, &threads->lock);
    atomic_fetch_sub(&threads->sleepers, 1);
    pthread_mutex_unlock(&threads->lock);
}

static void *member_main(void *argument) {
    struct member *member = argument;
    while (!atomic_load(&member->threads->is_stopping)) {
        if (!run_one(member->threads, member->index))
            wait_for_news(member->threads);
    }
    return NULL;
}

static void wake_sleepers(swin2sr_threads *threads) {
    if (!atomic_load(&threads->sleepers))
        return;
    pthread_mutex_lock(&threads->lock);
    pthread_cond_broadcast(&threads->wake);
    pthread_mutex_unlock(&threads->lock);
}

swin2sr_status swin2sr__threads_start(uint32_t count, swin2sr__thread_create create, swin2sr_threads **ret_threads) {
    size_t bytes = sizeof(swin2sr_threads) + (count - 1) * sizeof(struct member);
    swin2sr_threads *threads = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!threads)
        return SWIN2SR_NOMEM;
    *threads = (swin2sr_threads){.wanted = count};
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->wake, NULL);
    while (threads->started < count - 1 && !threads->start_error) {
        struct member *member = &threads->members[threads->started];
        *member = (struct member){.threads = threads, .index = threads->started + 1};
        threads->start_error = create(&member->handle, NULL, member_main, member);
        threads->started += !threads->start_error;
    }
    *ret_threads = threads;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr_threads_new(int32_t count, swin2sr_threads **ret_threads, swin2sr_error *reterr) {
    if (count < 0 || count > SWIN2SR__MAX_THREADS)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "threads must be 0 to %d, not %d", SWIN2SR__MAX_THREADS,
                                  count);
    swin2sr_status status = swin2sr__threads_start(swin2sr__threads_wanted(count), pthread_create, ret_threads);
    return status == SWIN2SR_OK ? status : swin2sr__error_set(reterr, status, "no memory for threads");
}

int swin2sr__cores_usable(void) {
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int limit = swin2sr__cgroup_cores("");
    return limit && limit < cores ? limit : cores;
}

uint32_t swin2sr__threads_wanted(int32_t count) {
    if (!count)
        count = swin2sr__cores_usable();
    return (uint32_t)(count < SWIN2SR__MAX_THREADS ? count : SWIN2SR__MAX_THREADS);
}

void swin2sr__threads_run(swin2sr_threads *threads, swin2sr__task task, void *context, uint32_t count) {
    if (!count)
        return;
    threads->task = task;
    threads->context = context;
    threads->count = count;
    atomic_store_explicit(&threads->finished, 0, memory_order_relaxed);
    atomic_store(&threads->remaining, count);
    if (count > 1)
        wake_sleepers(threads);
    while (run_one(threads, 0))
        ;
    for (int spins = 0; atomic_load_explicit(&threads->finished, memory_order_acquire) != count; spins++) {
        if (spins < 2000)
            pause_briefly();
        else
            sched_yield();
    }
}

uint32_t swin2sr__threads_count(const swin2sr_threads *threads) {
    return threads->started + 1;
}

void swin2sr__threads_describe_missing(const swin2sr_threads *threads, char *ret_text, size_t text_bytes) {
    *ret_text = '\0';
    if (threads->start_error)
        snprintf(ret_text, text_bytes, "%u of %u threads could be started: %s%s", threads->started + 1, threads->wanted,
                 strerror(threads->start_error),
                 threads->start_error == EAGAIN ? "; see ulimit -u and the cgroup's pids.max" : "");
}

void swin2sr_threads_free(swin2sr_threads *threads) {
    if (!threads)
        return;
    atomic_store(&threads->is_stopping, true);
    pthread_mutex_lock(&threads->lock);
    pthread_cond_broadcast(&threads->wake);
    pthread_mutex_unlock(&threads->lock);
    for (uint32_t i = 0; i < threads->started; i++)
        pthread_join(threads->members[i].handle, NULL);
    pthread_cond_destroy(&threads->wake);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}
