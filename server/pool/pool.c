/* SPDX-License-Identifier: Apache-2.0
 * pool/pool.c - jobs to workers and results back (stage 3 of 9, dispatch).
 * In: jobs with an input file.  Out: on_finish with a complete output file or a reason; one log line per result.
 * Each attempt writes to a new file, which becomes the result if DONE reports its actual size. */
#include "pool/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32.h"
#include "base/fit.h"
#include "format/note.h"
#include "pool/cheaper.h"
#include "pool/respawn.h"

static void finish(pool *self, job *item, swin2sr_status outcome, const char *detail) {
    loop_timer_clear(self->loop, &item->deadline);
    if (outcome != SWIN2SR_OK)
        job_drop_files(item);
    item->state = JOB_FINISHED;
    item->outcome = outcome;
    if (detail != item->detail)
        snprintf(item->detail, sizeof item->detail, "%s", detail);
    item->on_finish(item->context, item);
}

/* ---- jobs to workers ---- */

static void close_files(const int fds[IPC_JOB_FDS]) {
    for (int i = 0; i < IPC_JOB_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Open new descriptors of the input and the outputs for a worker. */
static swin2sr_status open_files(job *item, int ret_fds[IPC_JOB_FDS]) {
    bool has_preview = item->spec.preview_side_px > 0;
    swin2sr_status status = store_create(item->results, &item->result);
    if (status == SWIN2SR_OK && has_preview)
        status = store_create(item->results, &item->preview);
    if (status == SWIN2SR_OK) {
        ret_fds[0] = store_open(item->input, O_RDONLY);
        ret_fds[1] = store_open(&item->result, O_WRONLY);
        ret_fds[2] = has_preview ? store_open(&item->preview, O_WRONLY) : store_open(item->input, O_RDONLY);
        status = ret_fds[0] >= 0 && ret_fds[1] >= 0 && ret_fds[2] >= 0 ? SWIN2SR_OK : SWIN2SR_IO;
    }
    if (status != SWIN2SR_OK) {
        close_files(ret_fds);
        job_drop_files(item);
    }
    return status;
}

/* A worker whose progress stands still for longer than the whole image was predicted to take, and some seconds, makes
 * none any more. The deadline of the job may be far away. */
static void limit_stall(pool *self, worker *w) {
    respawn_limit_ms(self, w, (uint64_t)self->config->stall_s * 1000 + w->job->cost_us / 1000);
}

/* Send a job that has left the queue to an idle worker. false: the worker did not take it. */
static bool assign(pool *self, worker *w, job *item, const int *fds) {
    const job_spec *spec = &item->spec;
    ipc_message message = {.type = IPC_JOB,
                           .job = {.id = ++self->next_id,
                                   .network = item->network->index,
                                   .undamaged = item->undamaged ? item->undamaged->index + 1 : 0,
                                   .format = spec->format,
                                   .quality = spec->quality,
                                   .compression = spec->compression,
                                   .metadata = spec->metadata,
                                   .target = spec->target,
                                   .is_strict = spec->is_strict,
                                   .frames_max = spec->frames_max,
                                   .tile_px = spec->tile_px,
                                   .shrink_px = spec->shrink_px,
                                   .memory_bytes = spec->memory_bytes,
                                   .left_out = item->left_out,
                                   .preview_side_px = spec->preview_side_px,
                                   .in_bytes = spec->in_bytes,
                                   .list_bytes = spec->list_bytes,
                                   .in_pixels_max = spec->in_pixels_max,
                                   .out_pixels_max = spec->out_pixels_max}};
    if (worker_send(w, &message, fds) != SWIN2SR_OK)
        return false;
    w->state = WORKER_BUSY;
    w->job = item;
    w->job_id = message.job.id;
    w->has_begun = false;
    w->is_overdue = false;
    w->progress = 0;
    limit_stall(self, w);
    item->state = JOB_RUNNING;
    item->started_us = swin2sr__clock_us();
    self->running_count++;
    w->jobs++;
    return true;
}

static worker *find_idle(pool *self) {
    for (int i = 0; i < self->worker_count; i++)
        if (self->workers[i].state == WORKER_IDLE && !self->workers[i].is_killed)
            return &self->workers[i];
    return NULL;
}

static void dispatch(pool *self) {
    for (worker *w = find_idle(self); w && self->queue.first; w = find_idle(self)) {
        job *item = self->queue.first;
        int fds[IPC_JOB_FDS] = {-1, -1, -1};
        job_queue_remove(&self->queue, item);
        if (open_files(item, fds) != SWIN2SR_OK) {
            finish(self, item, SWIN2SR_IO, "no room for the result");
            continue;
        }
        if (!assign(self, w, item, fds)) {
            job_drop_files(item);
            job_queue_prepend(&self->queue, item);
        }
        close_files(fds);
    }
}

/* A worker that dies after this may have died because of the job, so the attempt counts. */
static void note_begun(worker *w) {
    if (w->job && !w->has_begun)
        w->job->attempts++;
    w->has_begun = true;
}

/* Take the job away from a worker. NULL: it has none, or the job was cancelled. */
static job *release(pool *self, worker *w) {
    job *item = w->job;
    w->job = NULL;
    w->job_id = 0;
    self->running_count -= item != NULL;
    return item;
}

/* ---- results back ---- */

static bool has_bytes(const store_file *file, uint64_t bytes) {
    struct stat info;
    return fstat(file->fd, &info) == 0 && (uint64_t)info.st_size == bytes;
}

/* Of a ZIP, an image that failed late has left bytes behind the end. */
static bool is_plausible_zip(const job *item, const ipc_done *done) {
    struct stat info;
    return done->files > 0 && done->files_failed < done->files && done->preview_bytes == 0 &&
           fstat(item->result.fd, &info) == 0 && (uint64_t)info.st_size >= done->out_bytes &&
           ftruncate(item->result.fd, (off_t)done->out_bytes) == 0;
}

/* true: DONE agrees with the files and the size that was asked for. If not, the worker is broken and is killed. */
static bool is_plausible(const job *item, const ipc_done *done) {
    if (!done->choice != !item->undamaged)
        return false;
    if (item->spec.list_bytes)
        return is_plausible_zip(item, done);
    if (done->in_width_px < 1 || done->in_height_px < 1)
        return false;
    int32_t scale = (int32_t)item->network->facts.scale;
    int32_t width_px = (int32_t)done->in_width_px, height_px = (int32_t)done->in_height_px;
    if (item->spec.shrink_px)
        swin2sr__fit_size(width_px, height_px, (int32_t)item->spec.shrink_px, &width_px, &height_px);
    format_target_size(&item->spec.target, width_px, height_px, scale, &width_px, &height_px);
    return has_bytes(&item->result, done->out_bytes) &&
           (item->preview.owner ? has_bytes(&item->preview, done->preview_bytes) : done->preview_bytes == 0) &&
           done->out_width_px == (uint32_t)width_px && done->out_height_px == (uint32_t)height_px;
}

static void on_result_committed(void *context, swin2sr_status status) {
    job *item = context;
    finish(item->network->owner, item, status, status == SWIN2SR_OK ? "" : "no room for the result");
}

/* The worker has answered for its job. returns what release returns. */
static job *set_idle(pool *self, worker *w) {
    job *item = release(self, w);
    loop_timer_clear(self->loop, &w->timer);
    w->state = WORKER_IDLE;
    w->failures = w->device.losses_in_a_row = 0;
    respawn_recycle(self, w);
    return item;
}

/* Learn from a finished job: estimate, metrics, log. */
static void note_done(const job *item, const worker *by) {
    network *self = pool_used(item);
    const ipc_done *done = &item->done;
    model_metrics *counts = self->counts;
    uint64_t duration_us = swin2sr__clock_us() - item->started_us;
    if (!item->spec.frames_max && !item->spec.list_bytes) /* of an animation, some frames take less */
        estimate_learn(&self->time, estimate_done_pixels(done, item->spec.shrink_px), duration_us);
    metrics_count_use(self->owner->metrics, item->spec.owner, done->in_pixels, duration_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_QUEUE], item->started_us - item->queued_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_DECODE], done->decode_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_INFER], done->infer_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_ENCODE], done->encode_us);
    counts->shrunk += (done->notes & NOTE_SHRUNK) > 0;
    counts->hurried += item->spec.is_hurried;
    counts->in_pixels += done->in_pixels;
    counts->out_pixels += done->out_pixels;
    log_event(self->owner->log, LOG_LEVEL_INFO, "enlarged",
              "s:s, s:s*, s:s*, s:s, s:s*, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I",
              "request_id", item->spec.request_id, "traceparent", job_trace(item), "key",
              item->spec.owner[0] ? item->spec.owner : NULL, "model", self->served->name, "choice",
              choice_get(done->choice)->token, "worker_pid", (int)by->pid, "attempt", item->attempts, "in_width",
              (int)done->in_width_px, "in_height", (int)done->in_height_px, "out_width", (int)done->out_width_px,
              "out_height", (int)done->out_height_px, "files", (int)done->files, "files_failed",
              (int)done->files_failed, "out_bytes", (long long)done->out_bytes, "decode_us", (long long)done->decode_us,
              "infer_us", (long long)done->infer_us, "encode_us", (long long)done->encode_us, "memory_bytes",
              (long long)done->plan_memory_bytes);
}

static void on_done_message(pool *self, worker *w, const ipc_done *done) {
    if (w->job && !is_plausible(w->job, done)) {
        worker_kill(w, METRICS_RESTART_PROTOCOL);
        return;
    }
    job *item = set_idle(self, w);
    if (!item)
        return;
    item->done = *done;
    if (item->spec.is_hurried)
        item->done.choice = CHOICE_HURRY;
    item->done.maker = w->makers[pool_used(item)->index];
    note_done(item, w);
    store_commit(&item->result, on_result_committed, item);
}

/* A GPU without memory for an image counts as lost. The attempt does not count, so that in the end the CPU does the job. */
static bool is_out_of_device_memory(worker *w, const ipc_failed *failed) {
    if (failed->status != SWIN2SR_NOMEM || !w->device.name || !w->job)
        return false;
    w->job->attempts--;
    w->has_failed = true;
    snprintf(w->device.fault, sizeof w->device.fault, "%s", failed->detail);
    worker_kill(w, METRICS_RESTART_DEVICE);
    return true;
}

static void on_failed_message(pool *self, worker *w, const ipc_failed *failed) {
    if (is_out_of_device_memory(w, failed))
        return;
    job *item = set_idle(self, w);
    swin2sr_status outcome = failed->status == SWIN2SR_CANCELLED ? SWIN2SR_INTERNAL : (swin2sr_status)failed->status;
    if (item)
        finish(self, item, outcome, failed->detail);
}

/* What the bits of a result depend on, beside the network and the version. */
static uint32_t maker_of(const ipc_ready *ready) {
    char text[sizeof *ready];
    swin2sr__crc32 crc;
    snprintf(text, sizeof text, "%s %s %s %s", ready->precision, ready->kernels, ready->device, ready->driver);
    swin2sr__crc32_init(&crc);
    return swin2sr__crc32_add(&crc, 0, text, strlen(text));
}

/* A worker has loaded and tested a network. An estimate that was learned from jobs is kept, unless they were done on
 * another device. */
static void note_ready(network *self, worker *by, const ipc_ready *ready) {
    if (strcmp(self->facts.device, ready->device) != 0)
        self->time = (estimate){.us_per_pixel = 0};
    self->facts = *ready;
    by->makers[self->index] = maker_of(ready);
    memcpy(by->device.title, ready->device, sizeof by->device.title);
    memcpy(by->device.driver, ready->driver, sizeof by->device.driver);
    estimate_take_self_test(&self->time, ready->us_per_megapixel);
    log_event(self->owner->log, LOG_LEVEL_INFO, "worker_ready",
              "s:i, s:s, s:s*, s:s*, s:s*, s:s, s:i, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:I", "worker_pid",
              (int)by->pid, "model", self->served->name, "device", by->device.name, "device_name",
              by->device.name ? ready->device : NULL, "driver", by->device.name ? ready->driver : NULL, "sha256",
              ready->sha256, "scale", (int)ready->scale, "kernels", ready->kernels, "kernels_note", ready->kernels_note,
              "precision", ready->precision, "memory_bytes", (long long)ready->memory_bytes, "sandbox", ready->sandbox,
              "self_test", ready->check, "us_per_megapixel", (long long)ready->us_per_megapixel, "base_bytes",
              (long long)ready->base_bytes, "column_bytes", (long long)ready->column_bytes);
}

/* false: the file of the weights was altered after the first worker had loaded it. Another network must not answer under
 * the same name, so the worker is ended until the file is as it was. */
static bool is_unaltered(const network *self, worker *w, const ipc_ready *ready) {
    if (!self->facts.sha256[0] || strcmp(self->facts.sha256, ready->sha256) == 0)
        return true;
    ipc_failed failed = {.status = SWIN2SR_MODEL};
    ipc_text_set(
        failed.detail, sizeof failed.detail,
        "the weights were altered after the service had loaded them; restore the file, or restart the service");
    respawn_note_failed(self->owner, w, &failed);
    worker_kill(w, METRICS_RESTART_EXIT);
    return false;
}

/* A worker sends one READY per network, in order, and is ready after the last one. */
static void on_ready_message(pool *self, worker *w, const ipc_ready *ready) {
    if (ready->network != w->ready_count) {
        worker_kill(w, METRICS_RESTART_PROTOCOL);
        return;
    }
    if (!is_unaltered(self->networks[w->ready_count], w, ready))
        return;
    note_ready(self->networks[w->ready_count++], w, ready);
    if (w->ready_count < (uint32_t)self->network_count)
        return;
    self->was_ever_ready = true;
    self->is_self_test_failing = false;
    self->fault[0] = '\0';
    w->is_renewed = false;
    loop_timer_clear(self->loop, &w->timer);
    w->state = WORKER_IDLE;
    worker_watch_memory(w);
    respawn_note_ready(self, w);
}

static bool is_about_job(const worker *w, uint64_t id) {
    return w->state == WORKER_BUSY && w->job_id == id;
}

/* The first message, with 0, is progress too. */
static void on_progress_message(pool *self, worker *w, uint32_t millionths, uint32_t file) {
    if (!w->job)
        return;
    w->job->file = file;
    if (millionths + 1 > w->progress) {
        w->progress = millionths + 1;
        limit_stall(self, w);
    }
    if (w->job->on_progress)
        w->job->on_progress(w->job->context, w->job, millionths);
}

static void on_message(void *context, worker *w, const ipc_message *message) {
    pool *self = context;
    if (w->is_killed)
        return;
    if (w->state == WORKER_BUSY)
        note_begun(w);
    if (message->type == IPC_READY && w->state == WORKER_STARTING)
        on_ready_message(self, w, &message->ready);
    else if (message->type == IPC_FAILED && w->state == WORKER_STARTING && message->failed.id == 0)
        respawn_note_failed(self, w, &message->failed);
    else if (message->type == IPC_DONE && is_about_job(w, message->done.id))
        on_done_message(self, w, &message->done);
    else if (message->type == IPC_FAILED && is_about_job(w, message->failed.id))
        on_failed_message(self, w, &message->failed);
    else if (message->type == IPC_PROGRESS && is_about_job(w, message->progress.id))
        on_progress_message(self, w, message->progress.millionths, message->progress.file);
    else
        worker_kill(w, METRICS_RESTART_PROTOCOL);
    dispatch(self);
}

/* ---- ends of workers ---- */

/* Of several pictures, the one at which the worker has ended is left out, and the others are tried again.
 * false: it is one picture, or this one has been left out already. */
static bool leave_out(job *item) {
    uint64_t bit = (uint64_t)1 << item->file;
    if (!item->spec.list_bytes || item->left_out & bit)
        return false;
    item->left_out |= bit;
    item->attempts = 0;
    return true;
}

static void retry(pool *self, job *item, metrics_restart reason) {
    job_drop_files(item);
    bool is_grown = reason == METRICS_RESTART_MEMORY;
    if (is_grown && !cheaper_retry(item) && !leave_out(item)) {
        finish(self, item, SWIN2SR_TOO_LARGE, item->detail);
        return;
    }
    if (reason == METRICS_RESTART_OOM)
        (void)cheaper_take_next(&item->network->facts, &item->spec);
    if (!is_grown && item->attempts >= LIMIT_ATTEMPTS && !leave_out(item)) {
        finish(self, item, SWIN2SR_INTERNAL, "the work on this image failed twice and was given up");
        return;
    }
    item->state = JOB_QUEUED;
    job_queue_prepend(&self->queue, item);
}

static void on_end(void *context, worker *w) {
    pool *self = context;
    if (w->end_reason == METRICS_RESTART_PROTOCOL)
        note_begun(w);
    job *item = release(self, w);
    respawn_after_end(self, w, item);
    if (item)
        retry(self, item, w->end_reason);
    dispatch(self);
}

/* ---- calls of the owner ---- */

static worker *worker_of(pool *self, const job *item) {
    for (int i = 0; i < self->worker_count; i++)
        if (self->workers[i].job == item)
            return &self->workers[i];
    return NULL;
}

/* Take a job that is not finished from the queue or from its worker, which stops within a step of the network or is
 * killed. */
static void withdraw(pool *self, job *item, bool is_overdue) {
    ipc_message message = {.type = IPC_CANCEL};
    if (item->state == JOB_QUEUED)
        job_queue_remove(&self->queue, item);
    worker *w = item->state == JOB_RUNNING ? worker_of(self, item) : NULL; /* NULL: the result is being committed */
    if (!w)
        return;
    message.cancel.id = w->job_id;
    w->job = NULL; /* the worker stays BUSY with this id until it answers */
    w->is_overdue = is_overdue;
    self->running_count--;
    if (worker_send(w, &message, NULL) == SWIN2SR_OK)
        respawn_limit_ms(self, w, (is_overdue ? LIMIT_OVERDUE_S : LIMIT_CANCEL_S) * 1000);
}

static void on_deadline(void *context) {
    job *item = context;
    pool *self = item->network->owner;
    withdraw(self, item, true);
    finish(self, item, SWIN2SR_TIMEOUT, "the time limit of this service passed before the image was finished");
}

void pool_start(pool *self) {
    self->handler = (worker_handler){.on_message = on_message, .on_end = on_end, .context = self};
    self->worker_count = self->devices->count + self->networks[0]->served->workers;
    respawn_start_all(self);
}

/* One of the networks of a pool; NULL: it has none of that name. */
static network *find_network(const pool *self, const char *name) {
    for (int i = 0; i < self->network_count; i++)
        if (strcmp(self->networks[i]->served->name, name) == 0)
            return self->networks[i];
    return NULL;
}

void pool_submit(network *target, job *item) {
    pool *self = target->owner;
    item->network = target;
    item->undamaged = find_network(self, item->spec.undamaged_model);
    item->state = JOB_QUEUED;
    item->queued_us = swin2sr__clock_us();
    item->deadline = (loop_timer){.on_due = on_deadline, .context = item};
    loop_timer_set(self->loop, &item->deadline, item->queued_us + item->spec.limit_us);
    job_queue_append(&self->queue, item);
    dispatch(self);
}

void pool_cancel(job *item) {
    pool *self = item->network->owner;
    withdraw(self, item, false);
    loop_timer_clear(self->loop, &item->deadline);
    job_drop_files(item);
    item->state = JOB_FINISHED;
    item->outcome = SWIN2SR_CANCELLED;
}

void pool_end_grown(pool *self, worker *w) {
    note_begun(w);
    if (w->job) {
        w->job->grown_bytes = worker_growth_bytes(w);
        w->job->grown_limit_bytes = self->growth_limit_bytes;
    }
    worker_kill(w, METRICS_RESTART_MEMORY);
}

void pool_abandon(pool *self) {
    static const char detail[] = "the service is shutting down";
    while (self->queue.first) {
        job *item = self->queue.first;
        job_queue_remove(&self->queue, item);
        finish(self, item, SWIN2SR_BUSY, detail);
    }
    for (int i = 0; i < self->worker_count; i++) {
        job *item = release(self, &self->workers[i]);
        if (item)
            finish(self, item, SWIN2SR_BUSY, detail);
    }
}

bool pool_has_idle(const pool *self) {
    return find_idle((pool *)self) != NULL;
}

size_t pool_waiting(const network *target) {
    size_t count = 0;
    for (const job *item = target->owner->queue.first; item; item = item->next)
        count += item->network == target;
    return count;
}

int pool_count(const pool *self, worker_state state) {
    int count = 0;
    for (int i = 0; i < self->worker_count; i++)
        count += self->workers[i].state == state && !(state == WORKER_DOWN && self->workers[i].is_resting);
    return count;
}

int pool_wanted_count(const pool *self) {
    int count = 0;
    for (const worker *w = self->workers; w < self->workers + self->worker_count; w++)
        count += !w->is_resting;
    return count > 0 ? count : 1;
}

bool pool_is_ready(const pool *self) {
    for (const worker *w = self->workers; w < self->workers + self->worker_count; w++)
        if (w->state == WORKER_IDLE || w->state == WORKER_BUSY || w->is_renewed)
            return true;
    return false;
}

void pool_done(pool *self) {
    for (int i = 0; i < self->worker_count; i++)
        worker_done(&self->workers[i]);
    worker_networks_close(&self->program);
}

_Static_assert(LIMIT_MODELS <= IPC_NETWORKS_MAX, "a worker can hold every network that is served");
