/* SPDX-License-Identifier: Apache-2.0
 * base/pool.c - a fixed set of threads.
 * `remaining` is the whole protocol: whoever lowers it by one owns a task, and the job's fields cannot change while a
 * task is owned, because the next job starts only when `finished` has reached `count`. So a thread that was asleep
 * through a job never has to check in, and reads the fields only after it owns a task. */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

#define SPIN_US 100 /* how long an idle thread looks for the next job before it sleeps */

struct swin2sr__pool {
    swin2sr__task task;
    void *context;
    uint32_t count;
    uint32_t threads;
    _Alignas(64) atomic_uint remaining;
    _Alignas(64) atomic_uint finished;
    atomic_uint sleepers;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* guards sleeping only */
    pthread_cond_t wake;
    uint32_t started;
    struct member {
        swin2sr__pool *pool;
        uint32_t thread;
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

/* Own one task and run it; false when none is left. */
static bool run_one(swin2sr__pool *pool, uint32_t thread) {
    unsigned left = atomic_load_explicit(&pool->remaining, memory_order_relaxed);
    do {
        if (!left)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&pool->remaining, &left, left - 1, memory_order_acquire,
                                                    memory_order_relaxed));
    pool->task(pool->context, pool->count - left, thread);
    atomic_fetch_add_explicit(&pool->finished, 1, memory_order_release);
    return true;
}

static bool has_news(swin2sr__pool *pool) {
    return atomic_load(&pool->remaining) || atomic_load(&pool->is_stopping);
}

static void wait_for_news(swin2sr__pool *pool) {
    uint64_t until_us = swin2sr__clock_us() + SPIN_US;
    do {
        for (int i = 0; i < 64; i++) {
            if (has_news(pool))
                return;
            pause_briefly();
        }
    } while (swin2sr__clock_us() < until_us);
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!has_news(pool))
        pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *member_main(void *argument) {
    struct member *member = argument;
    while (!atomic_load(&member->pool->is_stopping)) {
        if (!run_one(member->pool, member->thread))
            wait_for_news(member->pool);
    }
    return NULL;
}

static void wake_sleepers(swin2sr__pool *pool) {
    if (!atomic_load(&pool->sleepers))
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

swin2sr_status swin2sr__pool_new(uint32_t threads, swin2sr__pool **ret_pool) {
    swin2sr__pool *pool = NULL;
    size_t bytes = sizeof *pool + (threads - 1) * sizeof pool->members[0];
    pool = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!pool)
        return SWIN2SR_NOMEM;
    *pool = (swin2sr__pool){.threads = threads};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    for (; pool->started < threads - 1; pool->started++) {
        struct member *member = &pool->members[pool->started];
        *member = (struct member){.pool = pool, .thread = pool->started + 1};
        if (pthread_create(&member->handle, NULL, member_main, member) != 0) {
            swin2sr__pool_free(pool);
            return SWIN2SR_NOMEM;
        }
    }
    *ret_pool = pool;
    return SWIN2SR_OK;
}

void swin2sr__pool_run(swin2sr__pool *pool, swin2sr__task task, void *context, uint32_t count) {
    if (!count)
        return;
    pool->task = task;
    pool->context = context;
    pool->count = count;
    atomic_store_explicit(&pool->finished, 0, memory_order_relaxed);
    atomic_store(&pool->remaining, count);
    if (count > 1)
        wake_sleepers(pool);
    while (run_one(pool, 0))
        ;
    for (int spins = 0; atomic_load_explicit(&pool->finished, memory_order_acquire) != count; spins++) {
        if (spins < 2000)
            pause_briefly();
        else
            sched_yield();
    }
}

uint32_t swin2sr__pool_threads(const swin2sr__pool *pool) {
    return pool->threads;
}

void swin2sr__pool_free(swin2sr__pool *pool) {
    if (!pool)
        return;
    atomic_store(&pool->is_stopping, true);
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->started; i++)
        pthread_join(pool->members[i].handle, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
