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
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "backlog/backlog.h"
#include "base/digest.h"
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

/* ---- on the I/O thread: it touches pending, text, status, is_set_aside, input.fd, job.result.fd and .preview.fd ---- */

static swin2sr_status write_record(const kept_job *kept, const char *text) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_record_name(kept, name);
    return text ? data_write(kept->owner->data->records, name, text, strlen(text)) : SWIN2SR_NOMEM;
}

static swin2sr_status remove_input(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_input_name(kept, name);
    return data_remove(kept->owner->data->uploads, name);
}

static swin2sr_status remove_result(const kept_job *kept) {
    const char *name = kept->pending.result_name;
    char preview[LIMIT_RESULT_NAME_BYTES];
    if (!name[0])
        return SWIN2SR_OK;
    kept_preview_name(&kept->pending, preview);
    swin2sr_status status = data_remove(kept->owner->data->outputs, preview);
    return status == SWIN2SR_OK ? data_remove(kept->owner->data->outputs, name) : status;
}

static swin2sr_status write_new(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES], record[LIMIT_RESULT_NAME_BYTES];
    kept_input_name(kept, name);
    kept_record_name(kept, record);
    swin2sr_status status = data_keep(kept->input.fd, kept->owner->data->uploads, name);
    if (status == SWIN2SR_OK)
        status = write_record(kept, kept->text);
    if (status != SWIN2SR_OK) { /* the record may have got its name before the flush of the folder failed */
        (void)data_remove(kept->owner->data->records, record);
        (void)remove_input(kept);
    }
    return status;
}

/* Whoever may enter outputs/ may read the results in it. A file of this name is that of an earlier attempt whose record
 * could not be written. It is replaced. */
static swin2sr_status keep_output(const kept_job *kept, const store_file *file, const char *name) {
    int folder = kept->owner->data->outputs;
    (void)fchmod(file->fd, LIMIT_RESULT_MODE);
    swin2sr_status status = data_keep(file->fd, folder, name);
    if (status == SWIN2SR_INVALID && data_remove(folder, name) == SWIN2SR_OK)
        status = data_keep(file->fd, folder, name);
    return status;
}

/* Note the checksums of the result and its preview in the record. */
static swin2sr_status take_checksums(kept_job *kept) {
    job_record *record = &kept->pending;
    const job *item = &kept->job;
    swin2sr_status status = checksum_of(item->result.fd, record->done.out_bytes, record->result_sha256);
    if (status == SWIN2SR_OK && record->done.preview_bytes > 0)
        status = checksum_of(item->preview.fd, record->done.preview_bytes, record->preview_sha256);
    return status;
}

static bool set_input_aside(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_input_name(kept, name);
    return data_quarantine(kept->owner->data, kept->owner->data->uploads, name);
}

static swin2sr_status write_end(kept_job *kept) {
    const job_record *record = &kept->pending;
    char preview[LIMIT_RESULT_NAME_BYTES];
    swin2sr_status status = SWIN2SR_OK;
    kept_preview_name(record, preview);
    if (record->status == RECORD_SUCCEEDED)
        status = take_checksums(kept);
    if (status == SWIN2SR_OK && record->status == RECORD_SUCCEEDED && record->done.preview_bytes > 0)
        status = keep_output(kept, &kept->job.preview, preview);
    if (status == SWIN2SR_OK && record->status == RECORD_SUCCEEDED)
        status = keep_output(kept, &kept->job.result, record->result_name);
    kept->text = record_to_text(record);
    if (status == SWIN2SR_OK)
        status = write_record(kept, kept->text);
    /* what these leave is removed at the next start */
    if (status != SWIN2SR_OK)
        (void)remove_result(kept);
    else if (kept->is_input_damaged)
        kept->is_set_aside = set_input_aside(kept);
    else if (record->status != RECORD_SUCCEEDED)
        (void)remove_input(kept);
    return status;
}

/* The record forgets the damaged file, whether or not it could be moved. */
static swin2sr_status write_damaged(kept_job *kept) {
    const data_folder *data = kept->owner->data;
    char preview[LIMIT_RESULT_NAME_BYTES];
    kept_preview_name(&kept->record, preview);
    switch (kept->damaged) {
    case KEPT_INPUT:
        kept->is_set_aside = set_input_aside(kept);
        return SWIN2SR_OK;
    case KEPT_PREVIEW:
        kept->is_set_aside = data_quarantine(data, data->outputs, preview);
        return write_record(kept, kept->text);
    default:
        kept->is_set_aside = data_quarantine(data, data->outputs, kept->record.result_name);
        (void)data_remove(data->outputs, preview);
        return write_record(kept, kept->text);
    }
}

static swin2sr_status remove_all(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_record_name(kept, name);
    swin2sr_status result = remove_result(kept), input = remove_input(kept);
    if (result != SWIN2SR_OK || input != SWIN2SR_OK)
        return SWIN2SR_IO;
    return data_remove(kept->owner->data->records, name);
}

static void work(io_task *task) {
    kept_job *kept = job_of_task(task);
    switch (kept->write) {
    case KEPT_WRITE_NEW:
        kept->status = write_new(kept);
        break;
    case KEPT_WRITE_STATE:
        kept->status = write_record(kept, kept->text);
        break;
    case KEPT_WRITE_END:
        kept->status = write_end(kept);
        break;
    case KEPT_WRITE_EXPIRED:
        kept->status = remove_result(kept);
        if (kept->status == SWIN2SR_OK)
            kept->status = remove_input(kept);
        if (kept->status == SWIN2SR_OK)
            kept->status = write_record(kept, kept->text);
        break;
    case KEPT_WRITE_DAMAGED:
        kept->status = write_damaged(kept);
        break;
    case KEPT_WRITE_NOTHING:
        kept->status = remove_all(kept);
        break;
    }
}

static void work_begin(io_task *task) {
    kept_job *kept = job_of_begin(task);
    (void)write_record(kept, kept->begin_text); /* the job can be done again without it */
}

/* ---- on the loop: states ---- */

static void write_next(kept_job *kept, enum kept_write what);

static void drop(kept_job *kept, kept_phase phase) {
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

static void log_fault(const kept_job *kept) {
    log_event(kept->owner->log, LOG_LEVEL_ERROR, "job_not_written", "s:s, s:s, s:s", "job", kept->record.id, "status",
              record_status_name(kept->pending.status), "reason",
              kept->status == SWIN2SR_NOMEM ? "out of memory" : "the data folder cannot be written");
}

static void name_result(const job_record *record, char ret_name[LIMIT_RESULT_NAME_BYTES]) {
    time_t created_s = record->created_ms / 1000;
    struct tm utc;
    char date[16];
    gmtime_r(&created_s, &utc);
    strftime(date, sizeof date, "%Y-%m-%d", &utc);
    snprintf(ret_name, LIMIT_RESULT_NAME_BYTES, "%s-%s.%s", date, record->id, job_ending(&record->spec));
}

static void end_job(kept_job *kept, record_status status, swin2sr_status outcome, const char *detail) {
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
    if (status == RECORD_SUCCEEDED)
        name_result(&kept->pending, kept->pending.result_name);
    snprintf(kept->pending.detail, sizeof kept->pending.detail, "%s", detail);
    if (outcome == SWIN2SR_TOO_LARGE)
        strcpy(kept->pending.tried, kept->job.tried);
    write_next(kept, KEPT_WRITE_END);
}

/* Make the new state valid in memory too. */
static void settle(kept_job *kept) {
    backlog *self = kept->owner;
    kept_count(kept, -1);
    kept->record = kept->pending;
    kept_count(kept, 1);
    kept->phase = KEPT_ACCEPTED;
    job_done(&kept->job);
    if (record_is_finished(&kept->record) && !kept->record.is_expired)
        log_event(self->log, LOG_LEVEL_INFO, "job_finished", "s:s, s:s, s:s, s:i", "job", kept->record.id, "request_id",
                  kept->record.spec.request_id, "status", record_status_name(kept->record.status), "attempts",
                  (int)kept->record.attempts);
    backlog_changed(kept);
}

/* If the result cannot be kept, the job has failed. If that cannot be recorded either, it holds in memory only, and the
 * job is done again after the next start. */
static void on_end_written(kept_job *kept) {
    if (kept->status != SWIN2SR_OK)
        log_fault(kept);
    if (kept->is_input_damaged)
        backlog_note_damage(kept->owner, KEPT_DAMAGED_INPUT, kept->record.id, kept->is_set_aside);
    if (kept->status != SWIN2SR_OK && kept->pending.status == RECORD_SUCCEEDED) {
        end_job(kept, RECORD_FAILED, SWIN2SR_IO, "there is no room for the result");
        return;
    }
    kept->owner->finished[-kept->pending.outcome]++;
    settle(kept);
}

static void done(io_task *task) {
    kept_job *kept = job_of_task(task);
    backlog *self = kept->owner;
    free(kept->text);
    kept->text = NULL;
    switch (kept->write) {
    case KEPT_WRITE_NEW:
        store_remove(&kept->input);
        if (kept->status != SWIN2SR_OK) {
            log_fault(kept);
            drop(kept, KEPT_REFUSED);
            return;
        }
        backlog_enqueue(kept);
        settle(kept);
        backlog_feed(self);
        return;
    case KEPT_WRITE_END:
        on_end_written(kept);
        return;
    case KEPT_WRITE_NOTHING:
        if (kept->status == SWIN2SR_OK) {
            drop(kept, KEPT_REMOVED);
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
    settle(kept);
    if (kept->write != KEPT_WRITE_DAMAGED || record_is_finished(&kept->record))
        return;
    backlog_enqueue(kept);
    backlog_feed(self);
}

static void write_next(kept_job *kept, enum kept_write what) {
    kept->write = what;
    bool has_text = what != KEPT_WRITE_NOTHING && what != KEPT_WRITE_END; /* that of the end has checksums */
    kept->text = has_text ? record_to_text(&kept->pending) : NULL;
    kept->task = (io_task){.work = work, .done = done};
    io_submit(kept->owner->io, &kept->task);
}

static void done_begin(io_task *task) {
    kept_job *kept = job_of_begin(task);
    free(kept->begin_text);
    kept->begin_text = NULL;
    kept->is_beginning = false;
}

static void write_begin(kept_job *kept) {
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
    if (kept->attempt != item->attempts) {
        kept->attempt = item->attempts;
        kept->record.attempts++;
        kept->record.started_ms = backlog_now_ms();
        set_status(kept, RECORD_RUNNING);
        write_begin(kept);
        backlog_feed(kept->owner); /* the place in the queue of the pool is free */
    }
    backlog_changed(kept);
}

static void succeed(kept_job *kept, const job *item) {
    kept->record.done = item->done;
    kept->record.queue_us = item->started_us - item->queued_us;
    end_job(kept, RECORD_SUCCEEDED, SWIN2SR_OK, "");
}

/* The server ends before the job: the attempt does not count, and the job is done after the next start. */
static void postpone(kept_job *kept) {
    store_remove(&kept->input);
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record;
    if (kept->pending.status == RECORD_RUNNING)
        kept->pending.attempts--;
    kept->pending.status = RECORD_QUEUED;
    write_next(kept, KEPT_WRITE_STATE);
}

static void on_finish(void *context, job *item) {
    kept_job *kept = context;
    backlog *self = kept->owner;
    kept->is_submitted = false;
    if (item->outcome == SWIN2SR_OK)
        succeed(kept, item);
    else if (item->outcome == SWIN2SR_BUSY)
        postpone(kept);
    else
        end_job(kept, RECORD_FAILED, item->outcome, item->detail);
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
    network *target = pools_find(kept->owner->pools, kept->record.spec.model);
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
    } else if (status == SWIN2SR_OK && strcmp(sha256, kept->record.input_sha256) == 0) {
        submit(kept);
    } else {
        kept->is_input_damaged = true;
        end_job(kept, RECORD_FAILED, SWIN2SR_INTERNAL, DAMAGED_INPUT);
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

static bool is_waiting(const kept_job *kept) {
    return kept && (kept->check || (kept->is_submitted && kept->job.state == JOB_QUEUED));
}

/* The first job whose pool has room. Jobs that cannot be done are ended. */
static kept_job *find_next(backlog *self, network **ret_target) {
    for (kept_job *kept = self->queue_first, *next; kept; kept = next) {
        next = kept->queue_next;
        *ret_target = pools_find(self->pools, kept->record.spec.model);
        if (!*ret_target)
            end_job(kept, RECORD_FAILED, SWIN2SR_UNSUPPORTED, "the network of this job is no longer served here");
        else if (kept->record.attempts >= LIMIT_JOB_ATTEMPTS)
            end_job(kept, RECORD_FAILED, SWIN2SR_INTERNAL, "the work on this image failed again and again");
        else if (is_waiting(self->waiting[(*ret_target)->owner - self->pools->pools]))
            continue;
        else if (open_input(kept))
            return kept;
        else if (io_is_short(errno))
            return NULL; /* the sweep tries again */
        else
            end_job(kept, RECORD_FAILED, SWIN2SR_IO, "the image of this job can no longer be read");
    }
    return NULL;
}

void backlog_feed(backlog *self) {
    network *target;
    for (kept_job *kept; !self->is_draining && (kept = find_next(self, &target));) {
        kept_job **waiting = &self->waiting[target->owner - self->pools->pools];
        *waiting = kept; /* set first, because the pool may finish the job and call this function again */
        if (!check_and_submit(kept))
            return;
    }
}

/* ---- calls of the owner ---- */

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
    write_next(kept, KEPT_WRITE_NEW);
    return kept;
}

void backlog_cancel(kept_job *kept) {
    backlog *self = kept->owner;
    if (kept->is_submitted)
        pool_cancel(&kept->job);
    kept->is_submitted = false;
    end_job(kept, RECORD_CANCELED, SWIN2SR_CANCELLED, "the job was canceled");
    backlog_feed(self);
}

void backlog_remove(kept_job *kept) {
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record; /* after a start it is still empty */
    write_next(kept, KEPT_WRITE_NOTHING);
}

void backlog_expire(kept_job *kept) {
    kept->phase = KEPT_SETTLING;
    kept->pending = kept->record;
    kept->pending.is_expired = true;
    write_next(kept, KEPT_WRITE_EXPIRED);
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
    write_next(kept, KEPT_WRITE_DAMAGED);
}

void backlog_note_damage(backlog *self, kept_damage kind, const char *id, bool is_set_aside) {
    static const char *const names[KEPT_DAMAGE_COUNT] = {"record", "input", "result"};
    self->damaged[kind]++;
    log_event(self->log, LOG_LEVEL_ERROR, "damaged", "s:s, s:s, s:b", "kind", names[kind], "job", id, "is_set_aside",
              is_set_aside);
}
