/* SPDX-License-Identifier: Apache-2.0
 * pool/pool.c - jobs to workers and results back (stage 3 of 9, dispatch).
 * In: jobs with an input file.  Out: on_finish with a whole output file or a reason.
 * Each attempt writes a fresh unnamed file; only DONE with a file of the promised size makes it a result. */
#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cgroup.h"

#define COST_MEMORY_PIXELS 250000u /* a new measurement weighs its pixels against this many */

static uint64_t after_ms(uint64_t delay_ms) {
    return swin2sr__clock_us() + delay_ms * 1000;
}

static void finish(pool *self, job *item, swin2sr_status outcome, const char *detail) {
    loop_timer_clear(self->loop, &item->deadline);
    if (outcome != SWIN2SR_OK)
        store_remove(&item->result);
    item->state = JOB_FINISHED;
    item->outcome = outcome;
    item->finished_us = swin2sr__clock_us();
    snprintf(item->detail, sizeof item->detail, "%s", detail);
    item->on_finish(item->context, item);
}

/* NULL: the client sent none. */
static const char *trace_of(const job *item) {
    return item->spec.trace[0] ? item->spec.trace : NULL;
}

/* ---- jobs to workers ---- */

/* Fresh descriptors of input and output for a worker. */
static swin2sr_status open_files(const pool *self, job *item, int ret_fds[IPC_JOB_FDS]) {
    swin2sr_status status = store_create(self->results, &item->result);
    if (status != SWIN2SR_OK)
        return status;
    ret_fds[0] = store_open(item->input, O_RDONLY);
    ret_fds[1] = store_open(&item->result, O_WRONLY);
    if (ret_fds[0] >= 0 && ret_fds[1] >= 0)
        return SWIN2SR_OK;
    for (int i = 0; i < IPC_JOB_FDS; i++)
        if (ret_fds[i] >= 0)
            close(ret_fds[i]);
    store_remove(&item->result);
    return SWIN2SR_IO;
}

/* Give the job, already out of the queue, to the worker. false: the worker did not take it. */
static bool assign(pool *self, worker *w, job *item, const int *fds) {
    const job_spec *spec = &item->spec;
    ipc_message message = {.type = IPC_JOB,
                           .job = {.id = ++self->next_id,
                                   .image = spec->image,
                                   .quality = spec->quality,
                                   .in_bytes = spec->in_bytes,
                                   .in_pixels_max = spec->in_pixels_max,
                                   .out_pixels_max = spec->out_pixels_max}};
    if (worker_send(w, &message, fds) != SWIN2SR_OK)
        return false;
    w->state = WORKER_BUSY;
    w->job = item;
    w->job_id = message.job.id;
    w->has_begun = false;
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
        int fds[IPC_JOB_FDS] = {-1, -1};
        job_queue_remove(&self->queue, item);
        if (open_files(self, item, fds) != SWIN2SR_OK) {
            finish(self, item, SWIN2SR_IO, "no room for the result");
            continue;
        }
        if (!assign(self, w, item, fds)) {
            store_remove(&item->result);
            job_queue_prepend(&self->queue, item);
        }
        close(fds[0]);
        close(fds[1]);
    }
}

/* Only from here on can a death of the worker be the job's doing. */
static void note_begun(worker *w) {
    if (w->job && !w->has_begun)
        w->job->attempts++;
    w->has_begun = true;
}

/* The job that a worker held, which is BUSY no more or gone. NULL: it was cancelled. */
static job *release(pool *self, worker *w) {
    job *item = w->job;
    w->job = NULL;
    w->job_id = 0;
    if (item)
        self->running_count--;
    return item;
}

/* ---- results back ---- */

/* What a megapixel takes, as a running average in which a large picture weighs more. */
static void note_cost(pool *self, const ipc_done *done, uint64_t run_us) {
    uint64_t pixels = (uint64_t)done->in_width_px * done->in_height_px;
    uint64_t rate =
        (self->model.us_per_megapixel * COST_MEMORY_PIXELS + run_us * 1000000) / (COST_MEMORY_PIXELS + pixels);
    self->model.us_per_megapixel = rate < 1 ? 1 : rate < IPC_COST_MAX ? rate : IPC_COST_MAX;
}

static void note_done(pool *self, const job *item, const worker *w) {
    const ipc_done *done = &item->done;
    note_cost(self, done, swin2sr__clock_us() - item->started_us);
    metrics_observe(&self->counts->stage_seconds[METRICS_STAGE_QUEUE], item->started_us - item->queued_us);
    metrics_observe(&self->counts->stage_seconds[METRICS_STAGE_DECODE], done->decode_us);
    metrics_observe(&self->counts->stage_seconds[METRICS_STAGE_INFER], done->infer_us);
    metrics_observe(&self->counts->stage_seconds[METRICS_STAGE_ENCODE], done->encode_us);
    self->counts->in_pixels += (uint64_t)done->in_width_px * done->in_height_px;
    self->counts->out_pixels += (uint64_t)done->out_width_px * done->out_height_px;
    log_event(self->log, LOG_LEVEL_INFO, "enlarged",
              "s:s, s:s*, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I", "request_id",
              item->spec.request_id, "traceparent", trace_of(item), "model", self->served->name, "worker_pid",
              (int)w->pid, "attempt", item->attempts, "in_width", (int)done->in_width_px, "in_height",
              (int)done->in_height_px, "out_width", (int)done->out_width_px, "out_height", (int)done->out_height_px,
              "out_bytes", (long long)done->out_bytes, "decode_us", (long long)done->decode_us, "infer_us",
              (long long)done->infer_us, "encode_us", (long long)done->encode_us, "memory_bytes",
              (long long)done->plan_memory_bytes);
}

/* Is the result what was promised? A worker that says otherwise is not believed in anything. */
static bool is_plausible(const pool *self, const job *item, const ipc_done *done) {
    struct stat file;
    return fstat(item->result.fd, &file) == 0 && (uint64_t)file.st_size == done->out_bytes &&
           done->out_width_px == (uint64_t)done->in_width_px * self->model.scale &&
           done->out_height_px == (uint64_t)done->in_height_px * self->model.scale;
}

static void set_idle(pool *self, worker *w) {
    loop_timer_clear(self->loop, &w->timer);
    w->state = WORKER_IDLE;
    w->failures = 0;
}

/* A worker that has done its number of jobs makes room for a fresh one, but never two of a model at a time: memory that
 * leaks or fragments does not grow for long. */
static void recycle(pool *self, worker *w) {
    for (int i = 0; i < self->worker_count; i++)
        if (self->workers[i].is_renewed)
            return;
    uint32_t limit = (uint32_t)self->config->recycle_jobs;
    if (!limit || w->jobs < limit)
        return;
    w->is_renewed = true;
    worker_kill(w, METRICS_RESTART_RECYCLED);
}

static void on_result_committed(void *context, swin2sr_status status) {
    job *item = context;
    finish(item->owner, item, status, status == SWIN2SR_OK ? "" : "no room for the result");
}

static void on_done_message(pool *self, worker *w, const ipc_done *done) {
    if (w->job && !is_plausible(self, w->job, done)) {
        worker_kill(w, METRICS_RESTART_PROTOCOL);
        return;
    }
    job *item = release(self, w);
    set_idle(self, w);
    recycle(self, w);
    if (!item)
        return;
    item->done = *done;
    item->progress = 1;
    note_done(self, item, w);
    store_commit(&item->result, on_result_committed, item);
}

static void on_failed_message(pool *self, worker *w, const ipc_failed *failed) {
    job *item = release(self, w);
    set_idle(self, w);
    recycle(self, w);
    if (!item)
        return;
    swin2sr_status outcome = failed->status == SWIN2SR_CANCELLED ? SWIN2SR_INTERNAL : (swin2sr_status)failed->status;
    finish(self, item, outcome, failed->detail);
}

static void on_ready_message(pool *self, worker *w, const ipc_ready *ready) {
    uint64_t learned = self->model.us_per_megapixel;
    self->model = *ready;
    if (self->was_ever_ready)
        self->model.us_per_megapixel = learned;
    self->was_ever_ready = true;
    self->is_self_test_failing = false;
    w->is_renewed = false;
    loop_timer_clear(self->loop, &w->timer);
    w->state = WORKER_IDLE;
    log_event(self->log, LOG_LEVEL_INFO, "worker_ready", "s:i, s:s, s:s, s:i, s:s, s:s, s:I, s:s, s:I, s:I, s:I",
              "worker_pid", (int)w->pid, "model", self->served->name, "sha256", ready->sha256, "scale",
              (int)ready->scale, "kernels", ready->kernels, "precision", ready->precision, "memory_bytes",
              (long long)ready->memory_bytes, "self_test", ready->check, "us_per_megapixel",
              (long long)ready->us_per_megapixel, "base_bytes", (long long)ready->base_bytes, "column_bytes",
              (long long)ready->column_bytes);
}

static const char *start_fault(int32_t status) {
    return status == SWIN2SR_NOMEM ? "nomem" : status == SWIN2SR_INTERNAL ? "self_test" : "model";
}

/* The weights cannot be loaded: later this is a death like any other, before any worker was ready it is final. Memory
 * may come back, and a self-test that failed is told to whoever asks for readiness: then starting is tried again. */
static void on_start_failed(pool *self, const worker *w, const ipc_failed *failed) {
    self->is_self_test_failing = failed->status == SWIN2SR_INTERNAL;
    log_event(self->log, LOG_LEVEL_ERROR, "worker_cannot_start", "s:s, s:i, s:s, s:s", "model", self->served->name,
              "worker_pid", (int)w->pid, "status", start_fault(failed->status), "detail", failed->detail);
    if (!self->was_ever_ready && failed->status != SWIN2SR_NOMEM && !self->is_self_test_failing)
        self->is_hopeless = true;
}

static bool is_about_job(const worker *w, uint64_t id) {
    return w->state == WORKER_BUSY && w->job_id == id;
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
        on_start_failed(self, w, &message->failed);
    else if (message->type == IPC_PROGRESS && is_about_job(w, message->progress.id)) {
        if (w->job)
            w->job->progress = (double)message->progress.millionths / IPC_PROGRESS_DONE;
    } else if (message->type == IPC_DONE && is_about_job(w, message->done.id))
        on_done_message(self, w, &message->done);
    else if (message->type == IPC_FAILED && is_about_job(w, message->failed.id))
        on_failed_message(self, w, &message->failed);
    else
        worker_kill(w, METRICS_RESTART_PROTOCOL);
    dispatch(self);
}

/* ---- workers die and come back ---- */

/* One timer a worker, by its state: start again, started too slowly, or did not let go. */
static void start_worker(pool *self, worker *w);

static void on_worker_timer(void *context) {
    worker *w = context;
    pool *self = w->handler->context;
    if (w->state == WORKER_DOWN)
        start_worker(self, w);
    else
        worker_kill(w, METRICS_RESTART_STUCK);
}

static void schedule_restart(pool *self, worker *w) {
    uint64_t delay_ms = LIMIT_RESPAWN_FIRST_MS;
    for (uint32_t i = 0; i < w->failures && delay_ms < LIMIT_RESPAWN_LAST_MS; i++)
        delay_ms *= 2;
    w->failures++;
    loop_timer_set(self->loop, &w->timer,
                   after_ms(delay_ms < LIMIT_RESPAWN_LAST_MS ? delay_ms : LIMIT_RESPAWN_LAST_MS));
}

/* what is the setting that names the file. */
static void log_cannot_start(pool *self, const char *what, int error) {
    log_event(self->log, LOG_LEVEL_ERROR, "worker_cannot_start", "s:s, s:s, s:s++", "model", self->served->name,
              "status", "io", "detail", what, ": ", strerror(error));
}

static void start_worker(pool *self, worker *w) {
    if (worker_start(w, self->config, &self->weights) == SWIN2SR_OK) {
        loop_timer_set(self->loop, &w->timer, after_ms(LIMIT_START_S * 1000));
        return;
    }
    int error = errno;
    w->is_renewed = false;
    log_cannot_start(self, "--worker", error);
    if (!self->was_ever_ready && (error == ENOENT || error == EACCES || error == ENOEXEC))
        self->is_hopeless = true;
    schedule_restart(self, w);
}

static void retry(pool *self, job *item) {
    store_remove(&item->result);
    item->progress = 0;
    if (item->attempts >= LIMIT_ATTEMPTS) {
        finish(self, item, SWIN2SR_INTERNAL, "the work on this image failed twice and was given up");
        return;
    }
    item->state = JOB_QUEUED;
    job_queue_prepend(&self->queue, item);
}

/* A SIGKILL that is not ours is the kernel's when it has counted one more than we have noticed. */
static void classify_end(pool *self, worker *w) {
    if (w->end_reason != METRICS_RESTART_SIGNAL || w->end_status != -SIGKILL ||
        swin2sr__cgroup_oom_kills("") <= self->metrics->oom_kills)
        return;
    self->metrics->oom_kills++;
    w->end_reason = METRICS_RESTART_OOM;
}

static void on_end(void *context, worker *w) {
    pool *self = context;
    if (w->end_reason == METRICS_RESTART_PROTOCOL)
        note_begun(w);
    job *item = release(self, w);
    classify_end(self, w);
    bool is_recycled = w->end_reason == METRICS_RESTART_RECYCLED;
    self->counts->worker_restarts[w->end_reason]++;
    log_event(self->log, is_recycled ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "worker_ended",
              "s:s, s:i, s:s, s:i, s:s?, s:s*, s:i", "model", self->served->name, "worker", (int)(w - self->workers),
              "reason", metrics_restart_name(w->end_reason), "status", w->end_status, "request_id",
              item ? item->spec.request_id : NULL, "traceparent", item ? trace_of(item) : NULL, "attempt",
              item ? item->attempts : 0);
    w->is_renewed = is_recycled;
    is_recycled ? start_worker(self, w) : schedule_restart(self, w);
    if (item)
        retry(self, item);
    dispatch(self);
}

/* ---- the owner's side ---- */

static worker *worker_of(pool *self, const job *item) {
    for (int i = 0; i < self->worker_count; i++)
        if (self->workers[i].job == item)
            return &self->workers[i];
    return NULL;
}

static void on_deadline(void *context) {
    job *item = context;
    pool *self = item->owner;
    if (item->state == JOB_QUEUED) {
        job_queue_remove(&self->queue, item);
    } else {
        worker *w = worker_of(self, item); /* NULL: the result is being committed */
        if (w) {
            release(self, w);
            worker_kill(w, METRICS_RESTART_DEADLINE);
        }
    }
    finish(self, item, SWIN2SR_TIMEOUT, "the time limit of this service passed before the image was finished");
}

void pool_init(pool *self, int index, const server_config *config, event_loop *loop, server_log *log,
               server_metrics *metrics, store *results) {
    *self = (pool){.config = config, .loop = loop, .log = log, .metrics = metrics, .results = results};
    self->served = &config->models.rows[index];
    self->counts = &metrics->models[index];
    self->handler = (worker_handler){.on_message = on_message, .on_end = on_end, .context = self};
    self->worker_count = self->served->workers;
    if (worker_weights_open(self->served->path, &self->weights) != SWIN2SR_OK) {
        log_cannot_start(self, "--models", errno);
        self->is_hopeless = true;
    }
    for (int i = 0; i < self->worker_count; i++) {
        worker *w = &self->workers[i];
        worker_init(w, loop, &self->handler);
        w->timer = (loop_timer){.on_due = on_worker_timer, .context = w};
        if (!self->is_hopeless)
            start_worker(self, w);
    }
}

void pool_submit(pool *self, job *item) {
    item->owner = self;
    item->state = JOB_QUEUED;
    item->queued_us = swin2sr__clock_us();
    item->deadline = (loop_timer){.on_due = on_deadline, .context = item};
    loop_timer_set(self->loop, &item->deadline, item->queued_us + item->spec.limit_us);
    job_queue_append(&self->queue, item);
    dispatch(self);
}

void pool_cancel(pool *self, job *item) {
    if (item->state == JOB_QUEUED)
        job_queue_remove(&self->queue, item);
    worker *w = item->state == JOB_RUNNING ? worker_of(self, item) : NULL;
    if (w) {
        ipc_message message = {.type = IPC_CANCEL, .cancel.id = w->job_id};
        w->job = NULL;
        self->running_count--;
        if (worker_send(w, &message, NULL) == SWIN2SR_OK)
            loop_timer_set(self->loop, &w->timer, after_ms(LIMIT_CANCEL_S * 1000));
    }
    loop_timer_clear(self->loop, &item->deadline);
    store_remove(&item->result);
    item->state = JOB_FINISHED;
    item->outcome = SWIN2SR_CANCELLED;
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

int pool_count(const pool *self, worker_state state) {
    int count = 0;
    for (int i = 0; i < self->worker_count; i++)
        count += self->workers[i].state == state;
    return count;
}

bool pool_is_ready(const pool *self) {
    for (int i = 0; i < self->worker_count; i++)
        if (self->workers[i].state == WORKER_IDLE || self->workers[i].state == WORKER_BUSY ||
            self->workers[i].is_renewed)
            return true;
    return false;
}

void pool_done(pool *self) {
    for (int i = 0; i < self->worker_count; i++)
        worker_done(&self->workers[i]);
    worker_weights_close(&self->weights);
}
