/* SPDX-License-Identifier: Apache-2.0
 * backlog/quota.c - how many jobs and bytes are kept, in all and for each API key (stage 2 of 9, admit).
 * In: jobs as they appear, change and go.  Out: sums; whether one more job may be accepted.
 * A job that was accepted is finished even if its result goes beyond the quota: only new jobs are refused. */
#include <stdlib.h>
#include <string.h>

#include "backlog/backlog.h"

/* The input, and the result once there is one; nothing of a job that ended without a result. */
static uint64_t bytes_of(const job_record *record) {
    if (!record_is_finished(record))
        return record->spec.in_bytes;
    return record_has_result(record) ? record->spec.in_bytes + record->done.out_bytes + record->done.preview_bytes : 0;
}

static kept_share *find_share(const backlog *self, const char *owner) {
    kept_share *share = self->shares;
    while (share && strcmp(share->owner, owner) != 0)
        share = share->next;
    return share;
}

void kept_share_join(kept_job *kept) {
    backlog *self = kept->owner;
    const char *owner = kept->record.spec.owner;
    kept_share *share = owner[0] ? find_share(self, owner) : NULL;
    if (!share && owner[0] && (share = calloc(1, sizeof *share))) {
        strcpy(share->owner, owner);
        share->next = self->shares;
        self->shares = share;
    }
    kept->share = share;
}

void kept_share_leave(kept_job *kept) {
    kept_share *share = kept->share, **link = &kept->owner->shares;
    kept->share = NULL;
    if (!share || share->sums.kept > 0)
        return;
    while (*link != share)
        link = &(*link)->next;
    *link = share->next;
    free(share);
}

static void add(kept_sums *sums, const job_record *record, int sign) {
    sums->kept += (size_t)sign;
    sums->unfinished += record_is_finished(record) ? 0 : (size_t)sign;
    sums->bytes += (uint64_t)sign * bytes_of(record);
}

static void add_cost(kept_job *kept, int sign) {
    backlog *self = kept->owner;
    const job_record *record = &kept->record;
    const network *target = self->pools ? pools_find_for_job(self->pools, record->spec.model) : NULL;
    if (!target)
        return; /* it ends without work here */
    kept_costs *costs = &self->costs[target->owner - self->pools->pools];
    bool is_queued = record->status == RECORD_QUEUED;
    if (is_queued && !kept->has_turn) {
        kept->has_turn = true;
        kept->turn_us = costs->left_us + costs->queued_us;
    } else if (is_queued)
        costs->left_us -= (uint64_t)sign * record->cost_us;
    costs->queued_us += is_queued ? (uint64_t)sign * record->cost_us : 0;
    costs->running_us += record->status == RECORD_RUNNING ? (uint64_t)sign * record->cost_us : 0;
}

void kept_count(kept_job *kept, int sign) {
    backlog *self = kept->owner;
    add_cost(kept, sign);
    self->counts[kept->record.status] += (size_t)sign;
    add(&self->sums, &kept->record, sign);
    if (kept->share)
        add(&kept->share->sums, &kept->record, sign);
}

bool backlog_has_room(const backlog *self, const char *owner, uint64_t in_bytes, backlog_excess *ret_excess) {
    const kept_share *share = owner[0] ? find_share(self, owner) : NULL;
    const kept_sums all = self->sums, own = share ? share->sums : (kept_sums){.kept = 0};
    const backlog_excess limits[] = {
        {BACKLOG_JOBS, (uint64_t)self->config->jobs_max, all.unfinished},
        {BACKLOG_JOBS_OF_KEY, (uint64_t)self->config->key_jobs_max, own.unfinished},
        {BACKLOG_KEPT, LIMIT_JOBS_KEPT, all.kept},
        {BACKLOG_KEPT_OF_KEY, LIMIT_JOBS_KEPT / LIMIT_KEY_SHARE, own.kept},
        {BACKLOG_BYTES, self->bytes_max, all.bytes + in_bytes},
        {BACKLOG_BYTES_OF_KEY, self->bytes_max / LIMIT_KEY_SHARE, owner[0] ? own.bytes + in_bytes : 0},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limits[i].actual + (limits[i].kind < BACKLOG_BYTES ? 1 : 0) > limits[i].limit) {
            *ret_excess = limits[i];
            return false;
        }
    *ret_excess = (backlog_excess){.kind = BACKLOG_DISK};
    return disk_space_has(&self->data->disk, in_bytes);
}
