/* SPDX-License-Identifier: Apache-2.0
 * pool/respawn.c - start workers, note why they fail or end, and replace them (stage 3 of 9, dispatch).
 * In: the networks of a pool; ends of processes.  Out: running processes, the reasons in the log and the metrics.
 * Each worker has one timer. When it is due, a worker that is DOWN is started; a worker in another state has taken too
 * long to start, to make progress with its job or to answer for a cancelled one, and is killed. */
#include "pool/respawn.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/cgroup.h"
#include "pool/cheaper.h"

#define DETAIL_BYTES 160

void respawn_limit_ms(pool *self, worker *w, uint64_t limit_ms) {
    loop_timer_set(self->loop, &w->timer, swin2sr__clock_us() + limit_ms * 1000);
}

static void schedule_restart(pool *self, worker *w) {
    uint64_t delay_ms = LIMIT_RESPAWN_FIRST_MS;
    for (uint32_t i = 0; i < w->failures && delay_ms < LIMIT_RESPAWN_LAST_MS; i++)
        delay_ms *= 2;
    w->failures++;
    respawn_limit_ms(self, w, delay_ms < LIMIT_RESPAWN_LAST_MS ? delay_ms : LIMIT_RESPAWN_LAST_MS);
}

/* setting: the flag that names the file. */
static void note_io_fault(pool *self, const char *setting, int error) {
    snprintf(self->fault, sizeof self->fault, "%s: %s%s", setting, strerror(error),
             error == EAGAIN ? " (the limit on processes and threads is reached)" : "");
    log_event(self->log, LOG_LEVEL_ERROR, "worker_cannot_start", "s:s, s:s, s:s", "model", pool_name(self), "status",
              "io", "detail", self->fault);
}

static void start(pool *self, worker *w) {
    if (worker_start(w, self->config, &self->program) == SWIN2SR_OK) {
        respawn_limit_ms(self, w, LIMIT_START_S * 1000);
        return;
    }
    int error = errno;
    w->is_renewed = false;
    note_io_fault(self, "--worker", error);
    if (!self->was_ever_ready && (error == ENOENT || error == EACCES || error == ENOEXEC))
        self->is_hopeless = true;
    schedule_restart(self, w);
}

/* ---- GPUs, and the CPU in their place ---- */

static bool has_wanted_device(const pool *self) {
    bool is_any = false;
    for (int i = 0; i < self->devices->count; i++)
        is_any |= !self->workers[i].is_resting;
    return is_any;
}

static bool has_ready_device(const pool *self) {
    bool is_any = false;
    for (int i = 0; i < self->devices->count; i++)
        is_any |= !self->workers[i].is_resting && self->workers[i].state >= WORKER_IDLE;
    return is_any;
}

/* A worker that has a job is ended when it has answered (respawn_recycle). */
static void rest(pool *self, worker *w) {
    w->is_resting = true;
    if (w->state == WORKER_DOWN)
        loop_timer_clear(self->loop, &w->timer);
    else if (w->state != WORKER_BUSY)
        worker_kill(w, METRICS_RESTART_RECYCLED);
}

/* Start the workers of the CPU when no GPU can be used, and end them when one has become ready. */
static void set_standby(pool *self) {
    bool is_needed = !has_wanted_device(self);
    for (worker *w = self->workers + self->devices->count; w < self->workers + self->worker_count; w++) {
        if (is_needed && w->is_resting) {
            w->is_resting = false;
            if (w->state == WORKER_DOWN)
                start(self, w);
        } else if (!is_needed && !w->is_resting && has_ready_device(self)) {
            rest(self, w);
        }
    }
}

void respawn_note_ready(pool *self, worker *w) {
    worker_device *device = &w->device;
    if (!device->name)
        return;
    if (device->is_aside)
        log_event(self->log, LOG_LEVEL_INFO, "device_back", "s:s, s:s", "model", pool_name(self), "device",
                  device->name);
    device->is_aside = w->is_resting = false;
    device->fault[0] = '\0';
    set_standby(self);
}

/* Is this an end that the device, its driver or its sandbox may have caused. */
static bool is_loss(const worker *w) {
    switch (w->end_reason) {
    case METRICS_RESTART_EXIT:
    case METRICS_RESTART_SIGNAL:
    case METRICS_RESTART_SECCOMP:
    case METRICS_RESTART_STALLED:
    case METRICS_RESTART_STUCK:
    case METRICS_RESTART_DEVICE:
        return true;
    default:
        return false;
    }
}

static void note_device_fault(worker *w, const char *detail) {
    if (!w->has_failed)
        snprintf(w->device.fault, sizeof w->device.fault, "its worker ended: %s, status %d%s%s",
                 metrics_restart_name(w->end_reason), w->end_status, detail ? ", " : "", detail ? detail : "");
}

/* The worker of a device has ended. A device that cannot be used, or whose worker ends again and again, is set aside. */
static void note_device_end(pool *self, worker *w, const char *detail) {
    worker_device *device = &w->device;
    if (!is_loss(w))
        return;
    note_device_fault(w, detail);
    bool is_hanging = w->end_reason == METRICS_RESTART_STUCK && w->ready_count < (uint32_t)self->network_count;
    bool is_enough = device_note_loss(device, swin2sr__clock_us()) || device->is_unfit || is_hanging;
    if (!is_enough || device->is_aside)
        return;
    device->is_aside = w->is_resting = true;
    log_event(self->log, LOG_LEVEL_ERROR, "device_set_aside", "s:s, s:s, s:s, s:I, s:i", "model", pool_name(self),
              "device", device->name, "detail", device->fault, "losses", (long long)device->loss_count, "retry_s",
              LIMIT_DEVICE_ASIDE_S);
    set_standby(self);
}

/* ---- start and end ---- */

static void on_timer(void *context) {
    worker *w = context;
    if (w->state == WORKER_DOWN)
        start(w->handler->context, w);
    else
        worker_kill(w, w->job          ? METRICS_RESTART_STALLED
                       : w->is_overdue ? METRICS_RESTART_DEADLINE
                                       : METRICS_RESTART_STUCK);
}

void respawn_start_all(pool *self) {
    const char *path = self->networks[0]->served->path;
    for (int i = 0; i < self->network_count && !path[0]; i++)
        self->program.names[i] = self->networks[i]->served->name;
    if (worker_networks_open(path, &self->program) != SWIN2SR_OK) {
        note_io_fault(self, "--models", errno);
        self->is_hopeless = true;
    }
    for (int i = 0; i < self->worker_count; i++) {
        worker *w = &self->workers[i];
        worker_init(w, self->loop, &self->handler);
        w->timer = (loop_timer){.on_due = on_timer, .context = w};
        if (i < self->devices->count)
            w->device = (worker_device){.name = self->devices->names[i], .cache_fd = self->devices->cache_fds[i]};
        w->is_resting = !w->device.name && self->devices->count > 0;
        if (!self->is_hopeless && !w->is_resting)
            start(self, w);
    }
}

static const char *start_fault(int32_t status) {
    return status == SWIN2SR_NOMEM         ? "nomem"
           : status == SWIN2SR_INTERNAL    ? "self_test"
           : status == SWIN2SR_INVALID     ? "setting"
           : status == SWIN2SR_UNSUPPORTED ? "unsupported"
                                           : "model";
}

/* Weights that cannot be loaded end the server if no worker has ever been ready; later they are an end like any other.
 * After a lack of memory or a failed self-test the worker is started again. */
void respawn_note_failed(pool *self, worker *w, const ipc_failed *failed) {
    w->has_failed = true;
    log_event(self->log, LOG_LEVEL_ERROR, "worker_cannot_start", "s:s, s:i, s:s*, s:s, s:s", "model", pool_name(self),
              "worker_pid", (int)w->pid, "device", w->device.name, "status", start_fault(failed->status), "detail",
              failed->detail);
    if (w->device.name) {
        w->device.is_unfit = failed->status != SWIN2SR_NOMEM;
        snprintf(w->device.fault, sizeof w->device.fault, "%s", failed->detail);
        return;
    }
    snprintf(self->fault, sizeof self->fault, "%s", failed->detail);
    self->is_self_test_failing = failed->status == SWIN2SR_INTERNAL;
    if (!self->was_ever_ready && failed->status != SWIN2SR_NOMEM && !self->is_self_test_failing)
        self->is_hopeless = true;
}

/* A SIGKILL that the server did not send came from the OOM killer if the cgroup counts more kills than are known. */
static void classify_end(pool *self, worker *w) {
    if (w->end_reason != METRICS_RESTART_SIGNAL || w->end_status != -SIGKILL ||
        swin2sr__cgroup_oom_kills("") <= self->metrics->oom_kills)
        return;
    self->metrics->oom_kills++;
    w->end_reason = METRICS_RESTART_OOM;
}

/* NULL: the reason and the status explain the end. */
static const char *end_detail(const pool *self, const worker *w, const job *item, char text[DETAIL_BYTES]) {
    if (w->end_reason == METRICS_RESTART_MEMORY) {
        snprintf(text, DETAIL_BYTES,
                 "its memory grew from %" PRIu64 " by %" PRIu64 " MiB, %" PRIu64 " MiB are allowed; plan: %s",
                 w->baseline_bytes >> 20, worker_growth_bytes(w) >> 20, self->growth_limit_bytes >> 20,
                 item ? cheaper_name(&item->network->facts, &item->spec) : "none");
        return text;
    }
    return w->end_status == -SIGBUS   ? "a file was truncated while the worker read it: the weights, if it was starting"
           : w->end_status == -SIGSYS ? "a system call that the sandbox forbids; the kernel's log has its number"
                                      : NULL;
}

static void note_end_fault(pool *self, const worker *w, const char *detail) {
    if (w->ready_count < (uint32_t)self->network_count && !w->has_failed && !w->device.name)
        snprintf(self->fault, sizeof self->fault, "a worker ended while it started: %s, status %d%s%s",
                 metrics_restart_name(w->end_reason), w->end_status, detail ? ", " : "", detail ? detail : "");
}

void respawn_after_end(pool *self, worker *w, const job *item) {
    char text[DETAIL_BYTES];
    classify_end(self, w);
    const char *detail = end_detail(self, w, item, text);
    note_end_fault(self, w, detail);
    bool is_recycled = w->end_reason == METRICS_RESTART_RECYCLED;
    self->networks[0]->counts->worker_restarts[w->end_reason]++;
    log_event(self->log, is_recycled ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "worker_ended",
              "s:s, s:i, s:s*, s:s, s:i, s:s*, s:s?, s:s*, s:i", "model", pool_name(self), "worker",
              (int)(w - self->workers), "device", w->device.name, "reason", metrics_restart_name(w->end_reason),
              "status", w->end_status, "detail", detail, "request_id", item ? item->spec.request_id : NULL,
              "traceparent", item ? job_trace(item) : NULL, "attempt", item ? item->attempts : 0);
    if (w->device.name)
        note_device_end(self, w, detail);
    if (w->is_resting && w->device.name)
        respawn_limit_ms(self, w, LIMIT_DEVICE_ASIDE_S * 1000);
    else if (!w->is_resting) {
        w->is_renewed = is_recycled;
        is_recycled ? start(self, w) : schedule_restart(self, w);
    }
}

void respawn_recycle(pool *self, worker *w) {
    if (w->is_resting) {
        worker_kill(w, METRICS_RESTART_RECYCLED);
        return;
    }
    for (int i = 0; i < self->worker_count; i++)
        if (self->workers[i].is_renewed)
            return;
    uint32_t limit = (uint32_t)self->config->recycle_jobs;
    if (!limit || w->jobs < limit)
        return;
    w->is_renewed = true;
    worker_kill(w, METRICS_RESTART_RECYCLED);
}
