/* SPDX-License-Identifier: Apache-2.0
 * backlog/calls.c - what requests, sweeps and other servers ask of a kept job (stage 3 of 9, dispatch).
 * In: a job, and what is to become of it.  Out: a write that life.c completes. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backlog/cluster.h"
#include "base/digest.h"
#include "config/limits.h"

kept_job *backlog_accept(backlog *self, const job_record *wanted, store_file *upload) {
    kept_job *kept = calloc(1, sizeof *kept);
    uint8_t random[10 + (LIMIT_TOKEN_BYTES - 1) / 2];
    if (!kept || getrandom(random, sizeof random, 0) != sizeof random) {
        free(kept);
        return NULL;
    }
    kept->record = *wanted;
    kept->record.version = RECORD_VERSION;
    kept->record.status = RECORD_QUEUED;
    kept->record.created_ms = backlog_now_ms();
    record_make_id(self->config->node, kept->record.created_ms, random, kept->record.id);
    swin2sr__hex(random + 10, (LIMIT_TOKEN_BYTES - 1) / 2, kept->record.token);
    kept->input = *upload;
    upload->owner = NULL;
    backlog_link(self, kept);
    kept->phase = KEPT_ACCEPTING;
    kept->pending = kept->record;
    kept_write_next(kept, KEPT_WRITE_NEW);
    return kept;
}

void backlog_cancel(kept_job *kept) {
    backlog *self = kept->owner;
    if (kept->is_submitted)
        pool_cancel(&kept->job);
    kept->is_submitted = false;
    kept_end(kept, RECORD_CANCELED, SWIN2SR_CANCELLED, "the job was canceled");
    backlog_feed(self);
}

void backlog_remove(kept_job *kept) {
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record; /* after a start it is still empty */
    kept_write_next(kept, KEPT_WRITE_NOTHING);
}

void backlog_expire(kept_job *kept) {
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record;
    kept->pending.is_expired = true;
    kept_write_next(kept, KEPT_WRITE_EXPIRED);
}

void backlog_adopt(kept_job *kept, const job_record *ended) {
    kept_leave(kept);
    kept->pending = *ended;
    kept_settle(kept);
    backlog_feed(kept->owner);
}

void backlog_drop(kept_job *kept) {
    backlog *self = kept->owner;
    kept_leave(kept);
    kept_drop(kept, KEPT_REMOVED);
    backlog_feed(self);
}

void backlog_retry_end(kept_job *kept) {
    kept->is_late = false;
    kept_write_next(kept, KEPT_WRITE_END);
}

void backlog_set_aside(kept_job *kept, kept_file which) {
    job_record *pending = &kept->pending;
    kept->phase = KEPT_SETTLING;
    kept->damaged = which;
    *pending = kept->record;
    if (which != KEPT_INPUT) {
        pending->done.preview_bytes = 0;
        pending->preview_sha256[0] = '\0';
    }
    if (which == KEPT_RESULT) { /* the input is still there: do the job again */
        pending->status = RECORD_QUEUED;
        pending->finished_ms = pending->expires_ms = 0;
        pending->result_name[0] = pending->result_sha256[0] = '\0';
    }
    kept_write_next(kept, KEPT_WRITE_DAMAGED);
}
