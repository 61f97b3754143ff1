/* SPDX-License-Identifier: Apache-2.0
 * backlog/backlog.c - start, expiry and end of the backlog (stage 3 of 9, dispatch).
 * In: the data folder.  Out: its jobs, until they expire. */
#include "backlog/cluster.h"

#include <stdlib.h>

#include "base/clock.h"
#include "config/limits.h"

#define SWEEP_US 10000000
#define HOUR_MS 3600000
#define OTHERS_MS 600000

static void sweep(kept_job *kept, int64_t now_ms) {
    const job_record *record = &kept->record;
    if (kept->owner->cluster && !kept->is_mine) /* the server that has ended it comes first */
        now_ms -= OTHERS_MS;
    if (!record_is_finished(record) || kept->phase != KEPT_ACCEPTED || now_ms < record->expires_ms)
        return;
    if (record->is_expired && now_ms >= record->expires_ms + (int64_t)LIMIT_EXPIRED_HOURS * HOUR_MS) {
        backlog_remove(kept);
    } else if (!record->is_expired) {
        backlog_expire(kept);
    }
}

static void on_sweep(void *context) {
    backlog *self = context;
    int64_t now_ms = backlog_now_ms();
    for (kept_job *kept = self->first, *next; kept; kept = next) {
        next = kept->next; /* without an I/O thread, a removal has completed when the call returns */
        sweep(kept, now_ms);
    }
    backlog_feed(self); /* a job may wait for a descriptor or memory */
    loop_timer_set(self->loop, &self->sweep, swin2sr__clock_us() + SWEEP_US);
}

/* Jobs of a server of its own would not be done. */
static swin2sr_status check_no_jobs(const data_folder *data) {
    struct dirent **names;
    size_t count, jobs = 0;
    swin2sr_status status = data_list(data->records, &names, &count);
    if (status != SWIN2SR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        jobs += names[i]->d_name[0] != '.';
    data_names_free(names, count);
    return jobs > 0 ? SWIN2SR_BUSY : SWIN2SR_OK;
}

/* ---- calls of the server ---- */

swin2sr_status backlog_init(backlog *self, const server_config *config, event_loop *loop, server_log *log,
                            const data_folder *data, io_thread *io, pool_set *pools, object_store *shared,
                            const char *name, swin2sr_error *reterr) {
    *self = (backlog){.config = config, .loop = loop, .log = log, .data = data, .io = io, .pools = pools};
    swin2sr_status status = store_use_folder(&self->results, data->outputs_path, config->reserve_bytes);
    if (shared && !config->jobs_bytes_max)
        self->bytes_max = (uint64_t)LIMIT_JOBS_MAX_MIB << 20;
    else
        self->bytes_max =
            config->jobs_bytes_max ? config->jobs_bytes_max : disk_space_size(&data->disk) / LIMIT_JOBS_SHARE;
    if (status == SWIN2SR_OK)
        status = owed_start(self, reterr);
    if (status == SWIN2SR_OK)
        status = shared ? check_no_jobs(data) : backlog_replay(self);
    if (status == SWIN2SR_OK && shared)
        status = cluster_start(self, shared, name, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->sweep = (loop_timer){.on_due = on_sweep, .context = self};
    on_sweep(self);
    return SWIN2SR_OK;
}

void backlog_drain(backlog *self) {
    self->is_draining = true;
    for (int i = 0; i < LIMIT_MODELS; i++) {
        kept_job *kept = self->waiting[i];
        if (!kept || !kept->is_submitted || kept->job.state != JOB_QUEUED)
            continue;
        pool_cancel(&kept->job);
        kept->is_submitted = false;
        store_remove(&kept->input);
        if (self->cluster)
            backlog_give_back(kept);
    }
}

void backlog_done(backlog *self) {
    if (!self->loop)
        return;
    loop_timer_clear(self->loop, &self->sweep);
    owed_stop(self);
    cluster_stop(self->cluster);
    for (kept_job *kept = self->first, *next; kept; kept = next) {
        next = kept->next;
        store_remove(&kept->input);
        free(kept);
    }
    for (kept_share *share = self->shares, *next; share; share = next) {
        next = share->next;
        free(share);
    }
}
