/* SPDX-License-Identifier: Apache-2.0
 * admit/degrade.c - the levels of degrading (stage 2 of 9, admit).
 * In: samples and times.  Out: the level of each pool; one log line for each change. */
#include "admit/degrade.h"

#include "admit/admit.h"

/* A quantity begins to count at one number, and no longer counts at the other one. */
typedef struct degrade_range {
    uint32_t begin, end;
} degrade_range;

typedef struct degrade_row {
    const char *name;
    degrade_range free_percent, free_mib; /* free memory below both, or above one of them */
    degrade_range stalled_percent, queue_percent;
} degrade_row;

/* In the order of degrade_level: each begins later than the one before. */
static const degrade_row rows[DEGRADE_LEVEL_COUNT] = {
    [DEGRADE_NONE] = {"none"},
    [DEGRADE_FAST] = {"fast", LIMIT_FAST_FREE_PERCENT, LIMIT_FAST_FREE_MIB, LIMIT_FAST_STALLED_PERCENT,
                      LIMIT_FAST_QUEUE_PERCENT},
    [DEGRADE_SHRINK] = {"shrink", LIMIT_SHRINK_FREE_PERCENT, LIMIT_SHRINK_FREE_MIB, LIMIT_SHRINK_STALLED_PERCENT,
                        LIMIT_SHRINK_QUEUE_PERCENT},
    [DEGRADE_REFUSE] = {"refuse", LIMIT_REFUSE_FREE_PERCENT, LIMIT_REFUSE_FREE_MIB, LIMIT_REFUSE_STALLED_PERCENT,
                        LIMIT_REFUSE_QUEUE_PERCENT},
};

static const char *const reason_names[DEGRADE_REASON_COUNT] = {"memory", "stalls", "queue"};

const char *degrade_level_name(degrade_level level) {
    return rows[level].name;
}

const char *degrade_reason_name(degrade_reason reason) {
    return reason_names[reason];
}

static bool is_short(const degrade_input *input, uint32_t percent, uint32_t mib) {
    uint64_t share = input->limit_bytes / 100 * percent, most = (uint64_t)mib << 20;
    uint64_t free = input->limit_bytes > input->used_bytes ? input->limit_bytes - input->used_bytes : 0;
    return input->limit_bytes > 0 && free < (share < most ? share : most);
}

/* Does a quantity pass the limits of a level? is_on: those at which it ends. */
static bool holds(const degrade_row *row, const degrade_input *input, bool is_on, degrade_reason *ret_reason) {
    const bool passed[DEGRADE_REASON_COUNT] = {
        is_short(input, is_on ? row->free_percent.end : row->free_percent.begin,
                 is_on ? row->free_mib.end : row->free_mib.begin),
        input->stalled_share * 100 > (is_on ? row->stalled_percent.end : row->stalled_percent.begin),
        input->queue_share * 100 > (is_on ? row->queue_percent.end : row->queue_percent.begin)};
    for (int i = 0; i < DEGRADE_REASON_COUNT; i++)
        if (passed[i]) {
            *ret_reason = (degrade_reason)i;
            return true;
        }
    return false;
}

bool degrade_step(degrade_state *self, const degrade_input *input, uint64_t now_us) {
    degrade_level before = self->level;
    self->level = DEGRADE_NONE;
    for (int i = input->can_hurry ? DEGRADE_FAST : DEGRADE_SHRINK; i < DEGRADE_LEVEL_COUNT; i++) {
        struct degrade_switch *each = &self->switches[i];
        degrade_reason reason = self->reason;
        uint64_t dwell_us = (each->is_on ? LIMIT_DEGRADE_END_MS : LIMIT_DEGRADE_BEGIN_MS) * UINT64_C(1000);
        if (holds(&rows[i], input, each->is_on, &reason) == each->is_on)
            each->since_us = 0;
        else if (each->since_us == 0)
            each->since_us = now_us;
        if (each->since_us && now_us - each->since_us >= dwell_us) {
            each->is_on = !each->is_on;
            each->since_us = 0;
        }
        if (each->is_on) {
            self->level = (degrade_level)i;
            self->reason = reason;
        }
    }
    self->changes[self->level] += self->level != before;
    return self->level != before;
}

static bool can_hurry(const pool_set *pools, const pool *workers) {
    for (int i = 0; i < workers->network_count; i++)
        if (pools_find_hurry(pools, workers->networks[i]))
            return true;
    return false;
}

void degrade_update(degrade_set *self, uint64_t now_us) {
    const swin2sr__memory_use *use = &self->memory->use;
    for (int i = 0; i < self->pools->pool_count; i++) {
        const pool *each = &self->pools->pools[i];
        degrade_state *state = &self->states[i];
        uint64_t wait_us = pace_wait_us(each);
        const degrade_input input = {.limit_bytes = use->limit_bytes,
                                     .used_bytes = use->used_bytes,
                                     .stalled_share = self->memory->stalled_share,
                                     .queue_share = (double)wait_us / 1e6 / each->config->deadline_s,
                                     .can_hurry = can_hurry(self->pools, each)};
        if (degrade_step(state, &input, now_us))
            log_event(self->log, state->level ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "degrade",
                      "s:s, s:s, s:s*, s:I, s:I, s:f, s:f", "model", pool_name(each), "degrade_level",
                      rows[state->level].name, "reason", state->level ? reason_names[state->reason] : NULL,
                      "used_bytes", (long long)use->used_bytes, "limit_bytes", (long long)use->limit_bytes,
                      "stalled_share", self->memory->stalled_share, "queue_seconds", (double)wait_us / 1e6);
    }
}

const degrade_state *degrade_of(const degrade_set *self, const pool *workers) {
    return &self->states[workers - self->pools->pools];
}
