/* SPDX-License-Identifier: Apache-2.0
 * pool/memory.c - memory feedback (stage 3 of 9, dispatch).
 * In: a few short files of /proc and of the cgroup, which stay open.  Out: numbers for admission and the metrics; the end
 * of a worker that has grown too much. */
#include "pool/memory.h"

#include <time.h>

#define SMOOTHING_US 1000000 /* time over which the share of stalls is averaged */

uint64_t memory_growth_limit(uint64_t limit_bytes, uint64_t baselines_bytes, int worker_count,
                             uint64_t worker_memory_bytes) {
    uint64_t count = (uint64_t)worker_count, of_memory = worker_memory_bytes / 4 * 5 * count;
    uint64_t limit = limit_bytes && limit_bytes < of_memory ? limit_bytes : of_memory;
    uint64_t share = limit > baselines_bytes ? (limit - baselines_bytes) / 5 * 4 / count : 0;
    return share < LIMIT_GROWTH_BYTES ? share : LIMIT_GROWTH_BYTES;
}

void memory_open(memory_guard *self, pool_set *pools, const server_config *config, const char *root) {
    *self = (memory_guard){.pools = pools, .config = config};
    swin2sr__memory_open(&self->files, root);
}

void memory_close(memory_guard *self) {
    swin2sr__memory_close(&self->files);
}

static uint64_t thread_cpu_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* A running average. A share over 1 comes from a late sample. */
static void note_stalls(memory_guard *self, uint64_t stalled_us, uint64_t now_us) {
    uint64_t passed_us = now_us - self->sampled_us;
    if (self->sampled_us == 0 || passed_us == 0)
        return;
    double share =
        stalled_us > self->use.stalled_us ? (double)(stalled_us - self->use.stalled_us) / (double)passed_us : 0;
    double weight = passed_us < SMOOTHING_US ? (double)passed_us / SMOOTHING_US : 1;
    self->stalled_share += ((share < 1 ? share : 1) - self->stalled_share) * weight;
}

/* Measure the workers. returns the sum of their baselines. */
static uint64_t measure_workers(pool_set *pools) {
    uint64_t baselines = 0;
    for (pool *each = pools->pools; each < pools->pools + pools->pool_count; each++)
        for (worker *w = each->workers; w < each->workers + each->worker_count; w++) {
            if (w->memory_fd < 0)
                continue;
            worker_measure(w);
            baselines += w->baseline_bytes;
        }
    return baselines;
}

/* Idle workers may keep what the last image left. */
static void end_grown_workers(memory_guard *self) {
    for (pool *each = self->pools->pools; each < self->pools->pools + self->pools->pool_count; each++) {
        each->growth_limit_bytes = self->growth_limit_bytes;
        for (worker *w = each->workers; w < each->workers + each->worker_count; w++)
            if (w->state == WORKER_BUSY && !w->is_killed && worker_growth_bytes(w) > self->growth_limit_bytes)
                pool_end_grown(each, w);
    }
}

void memory_sample(memory_guard *self, uint64_t now_us) {
    uint64_t begin_us = thread_cpu_us();
    swin2sr__memory_use use;
    swin2sr__memory_read(&self->files, &use);
    note_stalls(self, use.stalled_us, now_us);
    self->use = use;
    self->sampled_us = now_us;
    self->growth_limit_bytes = memory_growth_limit(use.limit_bytes, measure_workers(self->pools),
                                                   self->config->worker_count, self->config->worker_memory_bytes);
    end_grown_workers(self);
    self->sample_count++;
    self->cpu_us += thread_cpu_us() - begin_us;
}
