/* SPDX-License-Identifier: Apache-2.0
 * pool/memory.h - memory feedback: how much the workers and their cgroup use, every 100 ms (stage 3 of 9, dispatch).
 * A worker that grows for one image by more than the limit is ended at once, before the kernel has to choose a process. */
#pragma once

#include "base/cgroup.h"
#include "pool/pools.h"

typedef struct memory_guard {
    pool_set *pools; /* borrowed, as is the next */
    const server_config *config;
    swin2sr__memory_files files;
    swin2sr__memory_use use;       /* of the last sample, as are the next two */
    uint64_t growth_limit_bytes;   /* of each worker; 0: not known */
    uint64_t sampled_us;           /* swin2sr__clock_us; 0: there is no sample yet */
    double stalled_share;          /* of the time, in which some task waited for memory: over about a second, 0..1 */
    uint64_t sample_count, cpu_us; /* processor time of this thread for all samples */
} memory_guard;

/* root: as in base/cgroup.h. Everything is borrowed. */
void memory_open(memory_guard *self, pool_set *pools, const server_config *config, const char *root);
void memory_close(memory_guard *self);

/* Read everything once, and end workers that have grown too much. */
void memory_sample(memory_guard *self, uint64_t now_us);

/* The growth that ends a worker: the smallest of LIMIT_GROWTH_BYTES, of four fifths of an equal share of what the
 * baselines leave of the limit, and of what --memory leaves above four fifths of the worker's own baseline.
 * limit_bytes 0: unknown. */
uint64_t memory_growth_limit(uint64_t limit_bytes, uint64_t baselines_bytes, int worker_count,
                             uint64_t worker_memory_bytes);
