/* SPDX-License-Identifier: Apache-2.0
 * backlog/life.c - a kept job from its acceptance to its end (stage 3 of 9, dispatch).
 * In: an upload that was admitted, or a job of an earlier server.  Out: files, then the new state in memory, then calls
 * of the watches. The order of the files makes a crash harmless:
 * a new job       input, record. It is accepted when both are on the disk.
 * a finished job  result, record. After a crash in between, the job is done again. The input is kept as long as the
 *                 result; that of a job without a result is removed after the record. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backlog/cluster.h"
#include "base/clock.h"
#include "config/limits.h"
#include "format/format.h"

#define HOUR_MS 3600000

static kept_job *job_of_task(io_task *task) {
    return (kept_job *)((char *)task - offsetof(kept_job, task));
}

static kept_job *job_of_begin(io_task *task) {
    return (kept_job *)((char *)task - offsetof(kept_job, begin));
}

#define DAMAGED_INPUT "the image of this job was damaged on the disk and has been set aside; send it again"

/* ---- on the I/O thread ---- */

static void work(io_task *task) {
    kept_job *kept = job_of_task(task);
    if (kept->owner->cluster)
        kept_shared_write(kept);
    else
        kept_disk_write(kept);
}

static void work_begin(io_task *task) {
    kept_disk_begin(job_of_begin(task));
}

/* ---- on the loop: states ---- */

static void on_claimed(kept_job *kept);
static void on_released(kept_job *kept);

void kept_drop(kept_job *kept, kept_phase phase) {
    kept_job **waiting = kept->owner->waiting;
    for (int i = 0; i < LIMIT_MODELS; i++)
        if (waiting[i] == kept) /* of long ago: it is finished */
            waiting[i] = NULL;
    backlog_unlink(kept);
    kept->phase = phase;
    backlog_changed(kept);
    store_remove(&kept->input);
    job_done(&kept->job);
    free(kept);
}

/* This process no longer works on the job. */
void kept_leave(kept_job *kept) {
    if (kept->is_submitted)
        pool_cancel(&kept->job);
    kept->is_submitted = kept->is_claimed = kept->is_late = false;
    kept_settle_hint(kept, true);
    backlog_dequeue(kept);
    checksum_cancel(&kept->check);
    store_remove(&kept->input);
}

static void log_fault(const kept_job *kept) {
    log_event(kept->owner->log, LOG_LEVEL_ERROR, "job_not_written", "s:s, s:s, s:s", "job", kept->record.id, "status",
              record_status_name(kept->pending.status), "reason",
              kept->status == SWIN2SR_NOMEM ? "out of memory"
              : kept->owner->cluster        ? "the shared store cannot be written"
                                            : "the data folder cannot be written");
}

void backlog_note_damage(backlog *self, kept_damage kind, const char *id, bool is_set_aside) {
    static const char *const names[KEPT_DAMAGE_COUNT] = {"record", "input", "result"};
    self->damaged[kind]++;
    log_event(self->log, LOG_LEVEL_ERROR, "damaged", "s:s, s:s, s:b", "kind", names[kind], "job", id, "is_set_aside",
              is_set_aside);
}

/* attempt: in a cluster, each has a result of its own; otherwise 0. */
static void name_result(const job_record *record, uint32_t attempt, char ret_name[LIMIT_RESULT_NAME_BYTES]) {
    char start[LIMIT_RESULT_NAME_BYTES];
    kept_result_start(record, start);
    if (attempt == 0)
        snprintf(ret_name, LIMIT_RESULT_NAME_BYTES, "%.60s%s", start, job_ending(&record->spec));
    else
        snprintf(ret_name, LIMIT_RESULT_NAME_BYTES, "%.60s%u.%s", start, attempt, job_ending(&record->spec));
}

void kept_end(kept_job *kept, record_status status, swin2sr_status outcome, const char *detail) {
    const backlog *self = kept->owner;
    backlog_dequeue(kept);
    checksum_cancel(&kept->check);
    store_remove(&kept->input);
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record;
    kept->pending.status = status;
    kept->pending.finished_ms = backlog_now_ms();
    kept->pending.expires_ms = kept->pending.finished_ms + (int64_t)self->config->result_hours * HOUR_MS;
    kept->pending.outcome = outcome;
    kept->pending.is_webhook_owed = kept->pending.webhook[0] && !self->cluster;
    if (status == RECORD_SUCCEEDED)
        name_result(&kept->pending, self->cluster ? kept->record.attempts : 0, kept->pending.result_name);
    snprintf(kept->pending.detail, sizeof kept->pending.detail, "%s", detail);
    if (outcome == SWIN2SR_TOO_LARGE)
        strcpy(kept->pending.tried, kept->job.tried);
    kept_write_next(kept, KEPT_WRITE_END);
}

/* Make the new state valid in memory too. */
void kept_settle(kept_job *kept) {
    backlog *self = kept->owner;
    kept_count(kept, -1);
    kept->record = kept->pending;
    kept_count(kept, 1);
    kept->phase = KEPT_ACCEPTED;
    kept->known_us = swin2sr__clock_us();
    kept->is_stale = self->cluster && kept->record.attempts > 0 && !kept->claimant[0];
    job_done(&kept->job);
    if (record_is_finished(&kept->record) && !kept->record.is_expired && (!self->cluster || kept->is_mine))
        log_event(self->log, LOG_LEVEL_INFO, "job_finished", "s:s, s:s, s:s, s:i", "job", kept->record.id, "request_id",
                  kept->record.spec.request_id, "status", record_status_name(kept->record.status), "attempts",
                  (int)kept->record.attempts);
    backlog_changed(kept);
}

/* The end that another server has written counts. While the store is away, the result waits here. */
static void on_shared_end(kept_job *kept) {
    kept->is_late = kept->status != SWIN2SR_OK && kept->status != SWIN2SR_INVALID && kept->status != SWIN2SR_CANCELLED;
    if (kept->is_late) {
        log_fault(kept);
        return; /* the next sweep tries again */
    }
    kept_leave(kept);
    if (kept->status == SWIN2SR_CANCELLED) {
        kept_drop(kept, KEPT_REMOVED);
        return;
    }
    kept->is_mine = kept->status == SWIN2SR_OK;
    kept_tell(kept, QUEUE_CHANGED);
    if (kept->is_input_damaged)
        backlog_note_damage(kept->owner, KEPT_DAMAGED_INPUT, kept->record.id, false);
    if (kept->is_mine)
        kept->owner->finished[-kept->pending.outcome]++;
    kept_settle(kept);
    if (kept->is_mine && kept->record.webhook[0])
        kept_owe(kept);
}

/* If the result cannot be kept, the job has failed. If that cannot be recorded either, it holds in memory only, and the
 * job is done again after the next start. */
static void on_end_written(kept_job *kept) {
    if (kept->owner->cluster) {
        on_shared_end(kept);
        return;
    }
    if (kept->status != SWIN2SR_OK)
        log_fault(kept);
    if (kept->is_input_damaged)
        backlog_note_damage(kept->owner, KEPT_DAMAGED_INPUT, kept->record.id, kept->is_set_aside);
    if (kept->status != SWIN2SR_OK && kept->pending.status == RECORD_SUCCEEDED) {
        kept_end(kept, RECORD_FAILED, SWIN2SR_IO, "there is no room for the result");
        return;
    }
    kept->owner->finished[-kept->pending.outcome]++;
    kept_settle(kept);
    if (kept->record.is_webhook_owed)
        kept_owe(kept);
}

/* Another server, or another request here, has kept the job of this request before. */
static void become_earlier(kept_job *kept) {
    backlog *self = kept->owner;
    kept_job *earlier = backlog_find(self, kept->pending.id);
    if (!earlier) {
        backlog_unlink(kept);
        kept->record = kept->pending;
        backlog_link(self, kept);
        return;
    }
    for (kept_watch *watch = kept->watches, *next; watch; watch = next) {
        next = watch->next;
        kept_watch_remove(watch);
        kept_watch_add(earlier, watch);
    }
    kept_drop(kept, KEPT_REMOVED);
    backlog_changed(earlier);
}

static void on_new_written(kept_job *kept) {
    backlog *self = kept->owner;
    store_remove(&kept->input);
    if (kept->status != SWIN2SR_OK) {
        if (kept->status != SWIN2SR_INVALID)
            log_fault(kept);
        kept_drop(kept, KEPT_REFUSED);
        return;
    }
    if (strcmp(kept->pending.id, kept->record.id) != 0) {
        bool is_known = backlog_find(self, kept->pending.id);
        become_earlier(kept);
        if (is_known)
            return;
    }
    kept_settle(kept);
    if (self->cluster)
        kept_announce(kept);
    else
        backlog_enqueue(kept);
    backlog_feed(self);
}

static void done(io_task *task) {
    kept_job *kept = job_of_task(task);
    backlog *self = kept->owner;
    free(kept->text);
    kept->text = NULL;
    switch (kept->write) {
    case KEPT_WRITE_NEW:
        on_new_written(kept);
        return;
    case KEPT_WRITE_CLAIM:
        on_claimed(kept);
        return;
    case KEPT_WRITE_RELEASE:
        on_released(kept);
        return;
    case KEPT_WRITE_END:
        on_end_written(kept);
        return;
    case KEPT_WRITE_NOTHING:
        if (kept->status == SWIN2SR_OK) {
            kept_drop(kept, KEPT_REMOVED);
            return;
        }
        kept->phase = KEPT_ACCEPTED; /* the files still exist; the next sweep or request tries again */
        log_fault(kept);
        backlog_changed(kept);
        return;
    case KEPT_WRITE_DAMAGED:
        backlog_note_damage(self, kept->damaged == KEPT_INPUT ? KEPT_DAMAGED_INPUT : KEPT_DAMAGED_RESULT,
                            kept->record.id, kept->is_set_aside);
        break;
    default:
        break;
    }
    if (kept->status != SWIN2SR_OK)
        log_fault(kept);
    kept_settle(kept);
    if (kept->write != KEPT_WRITE_DAMAGED || record_is_finished(&kept->record))
        return;
    backlog_enqueue(kept);
    backlog_feed(self);
}

void kept_write_next(kept_job *kept, enum kept_write what) {
    kept->write = what;
    bool has_text = what != KEPT_WRITE_NOTHING && what != KEPT_WRITE_END && /* that of the end has checksums */
                    !kept->owner->cluster;
    kept->text = has_text ? record_to_text(&kept->pending) : NULL;
    kept->task = (io_task){.work = work, .done = done};
    io_submit(kept_lane(kept), &kept->task);
}

static void done_begin(io_task *task) {
    kept_job *kept = job_of_begin(task);
    free(kept->begin_text);
    kept->begin_text = NULL;
    kept->is_beginning = false;
}

void kept_write_begin(kept_job *kept) {
    if (kept->is_beginning)
        return;
    kept->begin_text = record_to_text(&kept->record);
    kept->is_beginning = true;
    kept->begin = (io_task){.work = work_begin, .done = done_begin};
    io_submit(kept->owner->io, &kept->begin);
}

/* ---- work of the pools ---- */

static void set_status(kept_job *kept, record_status status) {
    kept_count(kept, -1);
    kept->record.status = status;
    kept_count(kept, 1);
}

/* A worker has begun or made progress. */
static void on_progress(void *context, job *item, uint32_t millionths) {
    kept_job *kept = context;
    kept->progress = millionths;
    kept_tell(kept, millionths);
    if (kept->attempt != item->attempts) {
        kept->attempt = item->attempts;
        kept->record.attempts += kept->owner->cluster ? 0 : 1; /* there, claims are counted */
        kept->record.started_ms = backlog_now_ms();
        set_status(kept, RECORD_RUNNING);
        if (!kept->owner->cluster)
            kept_write_begin(kept);
        backlog_feed(kept->owner); /* the place in the queue of the pool is free */
    }
    backlog_changed(kept);
}

static void succeed(kept_job *kept, const job *item) {
    kept->record.done = item->done;
    kept->record.queue_us = item->started_us - item->queued_us;
    kept_end(kept, RECORD_SUCCEEDED, SWIN2SR_OK, "");
}

/* The server ends before the job: the attempt does not count, and the job is done after the next start. */
void backlog_give_back(kept_job *kept) {
    store_remove(&kept->input);
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record;
    if (kept->pending.status == RECORD_RUNNING || kept->owner->cluster)
        kept->pending.attempts--;
    kept->pending.status = RECORD_QUEUED;
    kept_write_next(kept, kept->owner->cluster ? KEPT_WRITE_RELEASE : KEPT_WRITE_STATE);
}

static void on_finish(void *context, job *item) {
    kept_job *kept = context;
    backlog *self = kept->owner;
    kept->is_submitted = false;
    if (item->outcome == SWIN2SR_OK)
        succeed(kept, item);
    else if (item->outcome == SWIN2SR_BUSY)
        backlog_give_back(kept);
    else
        kept_end(kept, RECORD_FAILED, item->outcome, item->detail);
    backlog_feed(self);
}

/* ---- from the queue to the pools ---- */

/* false: its input cannot be opened, as errno says. */
static bool open_input(kept_job *kept) {
    int fd = backlog_open_input(kept);
    if (fd >= 0)
        kept->input = (store_file){.owner = &kept->owner->results, .fd = fd};
    return fd >= 0;
}

static void submit(kept_job *kept) {
    network *target = pools_find_for_job(kept->owner->pools, kept->record.spec.model);
    backlog_dequeue(kept);
    job_init(&kept->job);
    kept->job.spec = kept->record.spec;
    kept->job.input = &kept->input;
    kept->job.results = &kept->owner->results;
    kept->job.cost_us = kept->record.cost_us;
    kept->job.on_finish = on_finish;
    kept->job.on_progress = on_progress;
    kept->job.context = kept;
    kept->attempt = 0;
    kept->progress = 0;
    kept->is_submitted = true;
    pool_submit(target, &kept->job);
}

static void on_checked(void *context, swin2sr_status status, const char *sha256) {
    kept_job *kept = context;
    backlog *self = kept->owner;
    if (self->is_draining) {
        store_remove(&kept->input);
        if (self->cluster)
            backlog_give_back(kept);
    } else if (status == SWIN2SR_OK && strcmp(sha256, kept->record.input_sha256) == 0) {
        submit(kept);
    } else {
        kept->is_input_damaged = true;
        kept_end(kept, RECORD_FAILED, SWIN2SR_INTERNAL, DAMAGED_INPUT);
    }
    backlog_feed(self);
}

/* Compare the input with its checksum, and then submit the job.  false: not now, for lack of a descriptor or memory. */
static bool check_and_submit(kept_job *kept) {
    if (!kept->record.input_sha256[0]) {
        submit(kept); /* an earlier version wrote the record */
        return true;
    }
    swin2sr_status status =
        checksum_start(kept->owner->io, kept->input.fd, kept->record.spec.in_bytes, on_checked, kept, &kept->check);
    if (status != SWIN2SR_OK)
        store_remove(&kept->input);
    return status == SWIN2SR_OK;
}

/* The attempt of this process begins. */
static void on_claimed(kept_job *kept) {
    backlog *self = kept->owner;
    kept->phase = KEPT_ACCEPTED;
    kept->known_us = swin2sr__clock_us();
    if (kept->pending.attempts != kept->record.attempts) {
        kept->record.attempts = kept->pending.attempts;
        kept->is_claimed = true;
        self->cluster->takeover_count += kept->claimant[0] && strcmp(kept->claimant, self->cluster->name) != 0;
        strcpy(kept->claimant, self->cluster->name);
        kept_tell(kept, QUEUE_CHANGED);
    }
    if (kept->status == SWIN2SR_OK)
        kept->input.owner = &self->results;
    if (kept->status == SWIN2SR_INVALID || kept->status == SWIN2SR_CANCELLED) {
        kept->is_claimed = false;
        kept_settle_hint(kept, true);
        kept->known_us = 0; /* so that what is read next counts */
        kept->is_stale = true;
    } else if (kept->status == SWIN2SR_CORRUPT) {
        kept_end(kept, RECORD_FAILED, SWIN2SR_IO, "the image of this job can no longer be read");
    } else if (self->is_draining) {
        backlog_give_back(kept);
    } else if (kept->status != SWIN2SR_OK || !check_and_submit(kept)) {
        self->cluster->is_away |= kept->status != SWIN2SR_OK;
        backlog_enqueue(kept);
    }
    backlog_feed(self);
}

static void on_released(kept_job *kept) {
    if (kept->status != SWIN2SR_OK)
        log_fault(kept); /* its lease runs out */
    kept->is_claimed = false;
    kept_settle_hint(kept, false);
    kept->claimant[0] = '\0';
    kept_settle(kept);
}

static void claim(kept_job *kept) {
    backlog_dequeue(kept);
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record;
    kept_write_next(kept, KEPT_WRITE_CLAIM);
}

static bool is_waiting(const kept_job *kept) {
    return kept && ((kept->phase == KEPT_SETTLING && kept->write == KEPT_WRITE_CLAIM) || kept->check ||
                    (kept->is_submitted && kept->job.state == JOB_QUEUED));
}

/* The first job whose pool has room. Jobs that cannot be done are ended. */
static kept_job *find_next(backlog *self, network **ret_target) {
    if (self->cluster && self->cluster->is_away)
        return NULL;
    for (kept_job *kept = self->queue_first, *next; kept; kept = next) {
        next = kept->queue_next;
        *ret_target = pools_find_for_job(self->pools, kept->record.spec.model);
        if (kept->is_record_damaged)
            kept_end(kept, RECORD_FAILED, SWIN2SR_INTERNAL,
                     "the record of this job was damaged in the store; send the image again");
        else if (!*ret_target)
            kept_end(kept, RECORD_FAILED, SWIN2SR_UNSUPPORTED, "the network of this job is no longer served here");
        else if (kept->record.attempts >= LIMIT_JOB_ATTEMPTS)
            kept_end(kept, RECORD_FAILED, SWIN2SR_INTERNAL, "the work on this image failed again and again");
        else if (is_waiting(self->waiting[(*ret_target)->owner - self->pools->pools]))
            continue;
        else if (self->cluster || open_input(kept))
            return kept;
        else if (io_is_short(errno))
            return NULL; /* the sweep tries again */
        else
            kept_end(kept, RECORD_FAILED, SWIN2SR_IO, "the image of this job can no longer be read");
    }
    return NULL;
}

/* One hint at a time: as soon as its job has been begun, the next may be wanted. */
static void want_hints(backlog *self) {
    bool has_place = false;
    if (!self->cluster || !self->cluster->queue)
        return;
    for (int i = 0; i < self->pools->pool_count; i++)
        has_place |= pool_is_ready(&self->pools->pools[i]) && !is_waiting(self->waiting[i]);
    queue_want(self->cluster->queue, has_place && !self->queue_first && !self->is_draining && !self->cluster->is_away);
}

void backlog_feed(backlog *self) {
    network *target;
    for (kept_job *kept; !self->is_draining && (kept = find_next(self, &target));) {
        kept_job **waiting = &self->waiting[target->owner - self->pools->pools];
        *waiting = kept; /* set first, because the pool may finish the job and call this function again */
        if (self->cluster)
            claim(kept);
        else if (!check_and_submit(kept))
            return;
    }
    want_hints(self);
}
