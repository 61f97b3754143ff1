/* SPDX-License-Identifier: Apache-2.0
 * api/metrics.c - GET /metrics, the Prometheus text (stage 9 of 9, respond).
 * In: the counters (metrics/metrics.h), and gauges that are read now.  Out: text. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "admit/admit.h"
#include "api/cluster_metrics.h"
#include "api/context.h"
#include "api/routes.h"
#include "base/write.h"

/* One family for each folder that the server writes to. */
static void write_disks(const api_context *self, FILE *out) {
    const struct {
        const char *name;
        const disk_space *disk;
    } disks[] = {{"spool", &self->uploads->disk}, {"data", &self->data->disk}};
    const size_t count = self->backlog ? 2 : 1;
    metrics_write_family(out, "disk_free_bytes", "gauge", "Free bytes of the disk of each folder.");
    for (size_t i = 0; i < count; i++)
        if (disk_space_free(disks[i].disk) != UINT64_MAX)
            fprintf(out, "swin2sr_disk_free_bytes{folder=\"%s\"} %" PRIu64 "\n", disks[i].name,
                    disk_space_free(disks[i].disk));
    metrics_write_family(out, "disk_reserve_bytes", "gauge", "Free bytes below which uploads and jobs are refused.");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "swin2sr_disk_reserve_bytes{folder=\"%s\"} %" PRIu64 "\n", disks[i].name,
                disks[i].disk->reserve_bytes);
}

static uint64_t ended_for_memory(const pool_set *pools) {
    uint64_t count = 0;
    for (int i = 0; i < pools->pool_count; i++)
        count += pool_restarts(&pools->pools[i], METRICS_RESTART_MEMORY);
    return count;
}

static void write_memory(const memory_guard *self, FILE *out) {
    const pool_set *pools = self->pools;
    metrics_write_family(out, "worker_memory_bytes", "gauge", "Memory of each worker, without pages of files.");
    for (const pool *each = pools->pools; each < pools->pools + pools->pool_count; each++)
        for (int i = 0; i < each->worker_count; i++)
            if (each->workers[i].memory_fd >= 0)
                fprintf(out, "swin2sr_worker_memory_bytes{model=\"%s\",worker=\"%d\"} %" PRIu64 "\n", pool_name(each),
                        i, each->workers[i].memory_bytes);
    metrics_write_number(out, "worker_growth_limit_bytes", "gauge",
                         "Growth of a worker since it was ready at which it is ended.", self->growth_limit_bytes);
    metrics_write_number(out, "memory_used_bytes", "gauge",
                         "Memory in use in the cgroup, or on the machine, without pages that can be dropped.",
                         self->use.used_bytes);
    metrics_write_number(out, "memory_limit_bytes", "gauge", "The limit of the cgroup, or the machine's memory.",
                         self->use.limit_bytes);
    metrics_write_family(out, "memory_stalled_seconds_total", "counter", "Time in which some task waited for memory.");
    fprintf(out, "swin2sr_memory_stalled_seconds_total %.6f\n", (double)self->use.stalled_us / 1e6);
    metrics_write_number(out, "memory_pressure_kills_total", "counter",
                         "Workers ended because they took too much memory.", ended_for_memory(pools));
    metrics_write_number(out, "memory_samples_total", "counter", "How often all of this was read.", self->sample_count);
    metrics_write_family(out, "memory_sampling_seconds_total", "counter", "Processor time for that.");
    fprintf(out, "swin2sr_memory_sampling_seconds_total %.6f\n", (double)self->cpu_us / 1e6);
}

static void write_damage(const api_context *self, FILE *out) {
    const uint64_t *jobs = self->backlog->damaged;
    const struct {
        const char *name;
        uint64_t count;
    } kinds[] = {{"record", jobs[KEPT_DAMAGED_RECORD]},
                 {"input", jobs[KEPT_DAMAGED_INPUT]},
                 {"result", jobs[KEPT_DAMAGED_RESULT]},
                 {"upload", self->partials->damaged_count}};
    metrics_write_family(out, "damaged_files_total", "counter", "Files found damaged on the disk and set aside.");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        fprintf(out, "swin2sr_damaged_files_total{kind=\"%s\"} %" PRIu64 "\n", kinds[i].name, kinds[i].count);
}

/* Of each group of workers: the level that it is at, and how often each has begun. */
static void write_levels(const api_context *self, FILE *out) {
    const pool_set *pools = self->pools;
    metrics_write_family(out, "queue_seconds", "gauge", "Predicted wait of a new request for a worker.");
    for (int i = 0; i < pools->pool_count; i++)
        fprintf(out, "swin2sr_queue_seconds{model=\"%s\"} %.3f\n", pool_name(&pools->pools[i]),
                (double)pace_wait_us(&pools->pools[i]) / 1e6);
    metrics_write_family(out, "degrade_level", "gauge", "1 for the present level of degrading.");
    for (int i = 0; i < pools->pool_count; i++)
        for (int level = 0; level < DEGRADE_LEVEL_COUNT; level++)
            fprintf(out, "swin2sr_degrade_level{model=\"%s\",level=\"%s\"} %d\n", pool_name(&pools->pools[i]),
                    degrade_level_name((degrade_level)level), (int)self->levels->states[i].level == level);
    metrics_write_family(out, "degrade_changes_total", "counter", "How often each level has begun.");
    for (int i = 0; i < pools->pool_count; i++)
        for (int level = 0; level < DEGRADE_LEVEL_COUNT; level++)
            fprintf(out, "swin2sr_degrade_changes_total{model=\"%s\",level=\"%s\"} %" PRIu64 "\n",
                    pool_name(&pools->pools[i]), degrade_level_name((degrade_level)level),
                    self->levels->states[i].changes[level]);
}

/* All outcomes, also those that did not occur: the first of a kind must be seen as an increase. */
static void write_jobs(const backlog *self, FILE *out) {
    metrics_write_number(out, "jobs_bytes", "gauge", "Bytes of the inputs and results of kept jobs.", self->sums.bytes);
    metrics_write_number(out, "jobs_limit_bytes", "gauge", "Largest jobs_bytes at which jobs are accepted.",
                         self->bytes_max);
    metrics_write_family(out, "jobs", "gauge", "Jobs that are kept, by status.");
    for (int i = 0; i < RECORD_STATUS_COUNT; i++)
        fprintf(out, "swin2sr_jobs{status=\"%s\"} %zu\n", record_status_name((record_status)i), self->counts[i]);
    metrics_write_family(out, "jobs_finished_total", "counter", "Jobs that have ended, by outcome.");
    for (int i = 0; i < BACKLOG_OUTCOMES; i++)
        fprintf(out, "swin2sr_jobs_finished_total{outcome=\"%s\"} %" PRIu64 "\n",
                swin2sr_status_name((swin2sr_status)-i), self->finished[i]);
}

static void write_webhooks(const backlog *self, FILE *out) {
    if (!self->webhooks)
        return;
    metrics_write_family(out, "webhooks_total", "counter", "Webhooks that are settled, by outcome.");
    fprintf(out, "swin2sr_webhooks_total{outcome=\"sent\"} %" PRIu64 "\n", self->webhooks_taken);
    fprintf(out, "swin2sr_webhooks_total{outcome=\"given_up\"} %" PRIu64 "\n", self->webhooks_given_up);
    metrics_write_number(out, "webhook_failures_total", "counter", "Tries to send a webhook that have failed.",
                         self->webhook_tries_failed);
    metrics_write_number(out, "webhooks_owed", "gauge", "Webhooks that this server has yet to send.", self->owed_count);
}

static void write_log(const server_log *self, FILE *out) {
    metrics_write_family(out, "log_events_total", "counter", "Events by level, also those below --log-level.");
    for (int i = 0; i < LOG_LEVEL_COUNT; i++)
        fprintf(out, "swin2sr_log_events_total{level=\"%s\"} %" PRIu64 "\n", log_level_name((log_level)i),
                self->event_counts[i]);
    metrics_write_number(out, "log_lines_dropped_total", "counter", "Log lines dropped because stdout was not read.",
                         self->dropped_count);
}

/* Of the server without its workers, under the names that Prometheus's own clients use. */
static void write_process(const api_context *self, FILE *out) {
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    fprintf(out,
            "# HELP process_start_time_seconds When the server started, in seconds since 1970.\n"
            "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %" PRId64 "\n",
            self->begun_epoch_s);
    fprintf(out,
            "# HELP process_cpu_seconds_total Processor time of the server, without its workers.\n"
            "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.6f\n",
            (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
}

/* Of each group of workers, its GPUs. */
static void write_devices(const pool_set *pools, FILE *out) {
    if (pools->devices.count == 0)
        return;
    metrics_write_family(out, "device_set_aside", "gauge", "1 for a GPU that is not used for a while.");
    for (const pool *each = pools->pools; each < pools->pools + pools->pool_count; each++)
        for (int i = 0; i < pools->devices.count; i++)
            fprintf(out, "swin2sr_device_set_aside{model=\"%s\",device=\"%s\"} %d\n", pool_name(each),
                    each->workers[i].device.name, (int)each->workers[i].device.is_aside);
    metrics_write_family(out, "device_losses_total", "counter", "Ends of a worker that its GPU may have caused.");
    for (const pool *each = pools->pools; each < pools->pools + pools->pool_count; each++)
        for (int i = 0; i < pools->devices.count; i++)
            fprintf(out, "swin2sr_device_losses_total{model=\"%s\",device=\"%s\"} %" PRIu64 "\n", pool_name(each),
                    each->workers[i].device.name, each->workers[i].device.loss_count);
}

static void write_gauges(const api_context *self, FILE *out) {
    static const char *const states[WORKER_STATE_COUNT] = {"down", "starting", "idle", "busy"};
    metrics_write_number(out, "ready", "gauge", "1 while GET /readyz answers 200.", health_is_ready(self));
    metrics_write_family(out, "queue_depth", "gauge", "Requests waiting for a worker.");
    for (int i = 0; i < self->pools->network_count; i++)
        fprintf(out, "swin2sr_queue_depth{model=\"%s\"} %zu\n", self->pools->networks[i].served->name,
                pool_waiting(&self->pools->networks[i]));
    metrics_write_family(out, "workers", "gauge", "Worker processes, by state.");
    for (const pool *each = self->pools->pools; each < self->pools->pools + self->pools->pool_count; each++)
        for (int state = 0; state < WORKER_STATE_COUNT; state++)
            fprintf(out, "swin2sr_workers{model=\"%s\",state=\"%s\"} %d\n", pool_name(each), states[state],
                    pool_count(each, (worker_state)state));
    metrics_write_number(out, "connections", "gauge", "Open connections of clients.",
                         http_connection_count(self->http));
    metrics_write_number(out, "connections_limit", "gauge", "Connections beyond which further ones wait.",
                         http_connection_limit(self->http));
    metrics_write_number(out, "connections_dropped_total", "counter",
                         "Connections closed before a request: beyond the limit of one address, or without memory.",
                         self->metrics->connections_dropped);
    metrics_write_number(out, "spool_bytes", "gauge", "Bytes of uploads and results that are held.",
                         self->uploads->used_bytes);
    metrics_write_number(out, "spool_limit_bytes", "gauge", "Largest spool_bytes at which uploads are accepted.",
                         self->uploads->budget_bytes);
    metrics_write_number(out, "uploads", "gauge", "Resumable uploads that are kept, complete or not.",
                         self->partials->count);
    metrics_write_number(out, "uploads_bytes", "gauge", "Bytes of resumable uploads, which are part of spool_bytes.",
                         self->partials->bytes);
    write_disks(self, out);
    write_memory(self->memory, out);
    write_levels(self, out);
    write_devices(self->pools, out);
    if (self->backlog) {
        write_damage(self, out);
        write_jobs(self->backlog, out);
        write_webhooks(self->backlog, out);
        cluster_metrics_write(self->backlog, out);
    }
    write_log(self->log, out);
    write_process(self, out);
}

/* Label values are printable ASCII (ipc.h). Two of these characters need an escape. */
static void write_label(FILE *out, const char *text) {
    for (; *text; text++)
        fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void write_model(const network *each, FILE *out) {
    const ipc_ready *model = &each->facts;
    fprintf(out, "swin2sr_model_info{model=\"%s\",scale=\"%u\",sha256=\"", each->served->name,
            (unsigned int)model->scale);
    write_label(out, model->sha256);
    fprintf(out, "\",precision=\"");
    write_label(out, model->precision);
    fprintf(out, "\",kernels=\"");
    write_label(out, model->kernels);
    if (model->device[0]) {
        fprintf(out, "\",device=\"");
        write_label(out, model->device);
        fprintf(out, "\",driver=\"");
        write_label(out, model->driver);
    }
    fprintf(out, "\"} 1\n");
}

/* In the words of the worker that was ready last. */
static void write_sandbox(const pool *each, FILE *out) {
    fprintf(out, "swin2sr_worker_sandbox{model=\"%s\",holds=\"", pool_name(each));
    write_label(out, each->networks[0]->facts.sandbox);
    fprintf(out, "\"} 1\n");
}

static void write_info(const api_context *self, FILE *out) {
    metrics_write_family(out, "build_info", "gauge", "The program's version.");
    fprintf(out, "swin2sr_build_info{version=\"" SWIN2SR_VERSION "\"} 1\n");
    metrics_write_family(out, "model_info", "gauge", "The networks in use.");
    for (int i = 0; i < self->pools->network_count; i++)
        if (self->pools->networks[i].owner->was_ever_ready)
            write_model(&self->pools->networks[i], out);
    metrics_write_family(out, "worker_sandbox", "gauge", "What locks the workers.");
    for (int i = 0; i < self->pools->pool_count; i++)
        if (self->pools->pools[i].was_ever_ready)
            write_sandbox(&self->pools->pools[i], out);
}

void metrics_on_begin(http_request *request) {
    const api_context *self = request->app;
    const char *names[LIMIT_ROUTES + 1];
    for (size_t i = 0; i < self->route_count; i++)
        names[i] = router_label_index(self->routes, &self->routes[i]) == i ? self->routes[i].label : NULL;
    names[self->route_count] = "other";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        metrics_write(self->metrics, names, self->route_count + 1, out);
        write_gauges(self, out);
        write_info(self, out);
    }
    http_answer_text(request, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", swin2sr__text_end(out, &text));
}
