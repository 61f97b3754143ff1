/* SPDX-License-Identifier: Apache-2.0
 * admit/pace.c - room in the queue and Retry-After (stage 2 of 9, admit).
 * In: the jobs that wait and run, with their predicted costs.  Out: yes or no; seconds. */
#include "admit/admit.h"

#include <sys/random.h>

#include "base/clock.h"
#include "config/limits.h"

bool pace_has_room(const pool *workers) {
    return pool_has_idle(workers) || workers->queue.count < (size_t)workers->config->queue_max;
}

/* A job that runs longer than predicted is assumed to be nearly finished. */
static uint64_t left_us(const job *running, uint64_t now_us) {
    uint64_t spent_us = now_us - running->started_us;
    return running->cost_us > spent_us ? running->cost_us - spent_us : 0;
}

/* Share out the queue so that all workers end at the same time. A worker that is busy for longer takes no part, so one
 * long job does not make the wait for the others look long.
 * left  What each worker has left to do; changed. */
static uint64_t level_us(uint64_t queue_us, uint64_t *left, int count) {
    uint64_t sum_us = queue_us;
    for (int i = 0; i < count; i++)
        sum_us += left[i];
    for (;;) {
        int longest = 0;
        for (int i = 1; i < count; i++)
            longest = left[i] > left[longest] ? i : longest;
        if (left[longest] <= sum_us / (uint64_t)count)
            return sum_us / (uint64_t)count;
        sum_us -= left[longest];
        left[longest] = left[--count];
    }
}

uint64_t pace_wait_us(const pool *workers) {
    uint64_t now_us = swin2sr__clock_us(), left[POOL_WORKERS_MAX] = {0};
    int count = 0;
    if (pool_has_idle(workers))
        return 0;
    for (const worker *w = workers->workers; w < workers->workers + workers->worker_count; w++)
        if (!w->is_resting)
            left[count++] = w->job ? left_us(w->job, now_us) : 0;
    return level_us(workers->queue.cost_us, left, count > 0 ? count : 1);
}

uint32_t pace_spread_s(uint64_t wait_us, uint32_t random) {
    double half_s = (double)wait_us / 2e6, wait_s = half_s + half_s * random / UINT32_MAX + 1;
    return wait_s < LIMIT_RETRY_AFTER_S ? (uint32_t)wait_s : LIMIT_RETRY_AFTER_S;
}

uint32_t pace_retry_in_s(uint64_t wait_us) {
    uint32_t random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = UINT32_MAX; /* no random numbers yet, early after boot: the whole wait */
    return pace_spread_s(wait_us, random);
}

uint32_t pace_retry_after_s(const pool *workers) {
    return pace_retry_in_s(pace_wait_us(workers));
}
