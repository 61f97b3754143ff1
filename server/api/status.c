/* SPDX-License-Identifier: Apache-2.0
 * api/status.c - GET /v1/status: what an operator wants to see at a glance (stage 9 of 9, respond).
 * In: the pools and their levels of degrading, the kept jobs, the disks, the problems of the last hour.  Out: JSON of
 * bounded size. Who may have it is checked in admit/gate.c. */
#include "admit/admit.h"
#include "api/context.h"
#include "api/jobs.h"
#include "api/routes.h"
#include "api/status_map.h"
#include "base/clock.h"

#define HOUR_S 3600

/* ---- workers and their queues ---- */

static http_json *networks_of(const pool *each) {
    http_json *networks = http_json_array();
    for (int i = 0; i < each->network_count; i++) {
        const network *one = each->networks[i];
        http_json_add(&networks, "{s:s, s:i, s:f}", "name", one->served->name, "queued", (int)pool_waiting(one),
                      "seconds_per_megapixel", one->time.us_per_pixel);
    }
    return networks;
}

static http_json *restarts_of(const pool *each) {
    http_json *restarts = http_json_array();
    for (int reason = 0; reason < METRICS_RESTART_COUNT; reason++) {
        uint64_t count = pool_restarts(each, (metrics_restart)reason);
        if (count > 0)
            http_json_add(&restarts, "{s:s, s:I}", "reason", metrics_restart_name((metrics_restart)reason), "count",
                          (long long)count);
    }
    return restarts;
}

static void add_pool(const api_context *service, http_json **pools, const pool *each) {
    const degrade_state *level = degrade_of(service->levels, each);
    const ipc_ready *facts = &each->networks[0]->facts;
    bool is_known = each->was_ever_ready;
    http_json_add(pools, "{s:o, s:{s:i, s:i, s:i, s:i}, s:s, s:s?, s:i, s:i, s:f, s:o, s:s?, s:s?, s:s?, s:s?, s:s?}",
                  "networks", networks_of(each), "workers", "idle", pool_count(each, WORKER_IDLE), "busy",
                  pool_count(each, WORKER_BUSY), "starting", pool_count(each, WORKER_STARTING), "down",
                  pool_count(each, WORKER_DOWN), "level", degrade_level_name(level->level), "reason",
                  level->level ? degrade_reason_name(level->reason) : NULL, "queued", (int)each->queue.count, "running",
                  (int)each->running_count, "wait_seconds", (double)pace_wait_us(each) / 1e6, "restarts",
                  restarts_of(each), "fault", each->fault[0] ? each->fault : NULL, "precision",
                  is_known ? facts->precision : NULL, "kernels", is_known ? facts->kernels : NULL, "sandbox",
                  is_known ? facts->sandbox : NULL, "device", facts->device[0] ? facts->device : NULL);
}

/* ---- jobs and errors ---- */

static http_json *jobs_view(const api_context *service) {
    if (!service->backlog)
        return NULL;
    const size_t *counts = service->backlog->counts;
    return http_json_object("{s:i, s:i, s:i, s:i, s:i, s:I, s:I}", "queued", (int)counts[RECORD_QUEUED], "running",
                            (int)counts[RECORD_RUNNING], "succeeded", (int)counts[RECORD_SUCCEEDED], "failed",
                            (int)counts[RECORD_FAILED], "canceled", (int)counts[RECORD_CANCELED], "bytes",
                            (long long)service->backlog->sums.bytes, "bytes_limit",
                            (long long)service->backlog->bytes_max);
}

/* Jobs that failed in the last hour, by the problem that they are answered with. */
static void count_failed_jobs(const api_context *service, uint64_t counts[PROBLEM_COUNT]) {
    int64_t since_ms = backlog_now_ms() - (int64_t)HOUR_S * 1000;
    const kept_job *kept = service->backlog ? service->backlog->last : NULL;
    for (int i = 0; kept && i < LIMIT_JOBS_EXAMINED; i++, kept = kept->previous) {
        if (kept->record.status != RECORD_FAILED || kept->record.finished_ms < since_ms)
            continue;
        problem what = job_problem(&kept->record);
        counts[what.kind]++;
    }
}

static http_json *errors_view(const api_context *service) {
    http_json *errors = http_json_array();
    uint64_t jobs[PROBLEM_COUNT] = {0}, now_s = swin2sr__clock_us() / 1000000;
    const recent_counts *recent = &service->metrics->problems;
    count_failed_jobs(service, jobs);
    for (int kind = 0; kind < PROBLEM_COUNT; kind++) {
        uint64_t answers = recent_count(recent, kind, now_s);
        if (answers + jobs[kind] > 0)
            http_json_add(&errors, "{s:s, s:i, s:I, s:I}", "code", problem_kind_word((problem_kind)kind), "status",
                          problem_kind_code((problem_kind)kind), "answers", (long long)answers, "jobs",
                          (long long)jobs[kind]);
    }
    return errors;
}

/* ---- the answer ---- */

static const char *state_of(const api_context *service) {
    if (service->is_leaving)
        return "draining";
    for (int i = 0; i < service->pools->pool_count; i++)
        if (!pool_is_ready(&service->pools->pools[i]) || degrade_of(service->levels, &service->pools->pools[i])->level)
            return "degraded";
    return health_can_write(service) ? "ready" : "degraded";
}

void status_on_begin(http_request *request) {
    const api_context *service = request->app;
    http_json *pools = http_json_array();
    for (int i = 0; i < service->pools->pool_count; i++)
        add_pool(service, &pools, &service->pools->pools[i]);
    http_answer_json(request, HTTP_OK, "{s:s, s:s, s:s, s:I, s:i, s:i, s:o, s:o*, s:{s:I, s:I}, s:o}", "version",
                     SWIN2SR_VERSION, "node", service->config->node, "state", state_of(service), "uptime_seconds",
                     (long long)((swin2sr__clock_us() - service->begun_us) / 1000000), "connections",
                     (int)http_connection_count(service->http), "queue_limit", (int)service->config->queue_max, "pools",
                     pools, "jobs", jobs_view(service), "spool", "bytes", (long long)service->uploads->used_bytes,
                     "bytes_limit", (long long)service->uploads->budget_bytes, "errors", errors_view(service));
    http_answer_header(request, "Cache-Control", "no-store");
}
