/* SPDX-License-Identifier: Apache-2.0
 * admit/degrade.h - do less before doing nothing: the levels of degrading (stage 2 of 9, admit).
 * In: the memory of the cgroup or the machine, and the queue of each pool, every 100 ms.  Out: the level of each pool. A
 * level begins when one of its quantities has passed its first limit for LIMIT_DEGRADE_BEGIN_MS, and ends when all have
 * been beyond their second limits for LIMIT_DEGRADE_END_MS. The levels are one table, in degrade.c. */
#pragma once

#include "pool/memory.h"

typedef enum degrade_level {
    DEGRADE_NONE = 0,
    DEGRADE_FAST,   /* requests that name no network are done by the one for a hurry; only in pools that have it */
    DEGRADE_SHRINK, /* requests with oversize=auto are reduced if a side has over LIMIT_OVERSIZE_PX */
    DEGRADE_REFUSE, /* new work is refused; jobs, which do not wait in the queue, only where memory is the reason */
    DEGRADE_LEVEL_COUNT
} degrade_level;

typedef enum degrade_reason {
    DEGRADE_BY_MEMORY = 0, /* little is free */
    DEGRADE_BY_STALLS,     /* tasks wait for memory */
    DEGRADE_BY_QUEUE,      /* a new request would wait long */
    DEGRADE_REASON_COUNT
} degrade_reason;

typedef struct degrade_input {
    uint64_t limit_bytes, used_bytes; /* limit 0: unknown */
    double stalled_share;             /* of the time, 0..1 */
    double queue_share;               /* the predicted wait of a new request, of the time that it may take */
    bool can_hurry;                   /* there is a network for DEGRADE_FAST */
} degrade_input;

/* The level of one pool; zeroes at the beginning. */
typedef struct degrade_state {
    degrade_level level;
    degrade_reason reason;                 /* of a level other than DEGRADE_NONE */
    uint64_t changes[DEGRADE_LEVEL_COUNT]; /* how often each level has begun; DEGRADE_NONE: how often all have ended */
    struct degrade_switch {
        bool is_on;
        uint64_t since_us; /* when the conditions for a change began to hold; 0: they do not */
    } switches[DEGRADE_LEVEL_COUNT];
} degrade_state;

/* Take one sample. now_us: of any clock that does not go back, above 0.  returns true: the level is another one. */
bool degrade_step(degrade_state *self, const degrade_input *input, uint64_t now_us);

const char *degrade_level_name(degrade_level level);    /* "none", ... */
const char *degrade_reason_name(degrade_reason reason); /* "memory", ... */

typedef struct degrade_set {
    const pool_set *pools; /* borrowed, as are the next two */
    const memory_guard *memory;
    server_log *log;
    degrade_state states[LIMIT_MODELS]; /* of the pools */
} degrade_set;

/* Take the last sample of the memory for each pool, and log changes. */
void degrade_update(degrade_set *self, uint64_t now_us);

const degrade_state *degrade_of(const degrade_set *self, const pool *workers);
