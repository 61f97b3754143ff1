/* SPDX-License-Identifier: Apache-2.0
 * api/job_view.c - a job as JSON (stage 9 of 9, respond).
 * In: a kept job.  Out: the resource of GET /v1/jobs/{id}. */
#include <stdio.h>
#include <string.h>

#include "admit/admit.h"
#include "api/facts.h"
#include "api/jobs.h"
#include "api/status_map.h"
#include "base/clock.h"

/* From the speed of this job if it is running, otherwise from its predicted cost. */
static double running_s(const kept_job *kept) {
    double spent_s = (double)(swin2sr__clock_us() - kept->job.started_us) / 1e6;
    double share = (double)kept->progress / IPC_PROGRESS_DONE;
    if (share > 0.05)
        return spent_s / share * (1 - share);
    double left_s = (double)kept->record.cost_us / 1e6 - spent_s;
    return left_s > 0 ? left_s : 0;
}

double job_eta_s(const api_context *service, const kept_job *kept) {
    if (record_is_finished(&kept->record))
        return 0;
    if (kept->is_submitted && kept->job.state == JOB_RUNNING)
        return running_s(kept);
    if (kept->owner->cluster)
        return (double)backlog_left_us(kept) / 1e6;
    const network *target = pools_find_for_job(service->pools, kept->record.spec.model);
    uint64_t ahead_us = kept->record.cost_us;
    for (const kept_job *each = kept->queue_previous; each; each = each->queue_previous)
        ahead_us += each->record.cost_us;
    if (!target)
        return (double)ahead_us / 1e6;
    return (double)(pace_wait_us(target->owner) + ahead_us / (uint64_t)pool_wanted_count(target->owner)) / 1e6;
}

static http_json *result_view(const job_record *record) {
    char url[100], preview[100], expires[RECORD_TIME_BYTES], tag[FACTS_ETAG_BYTES];
    facts_etag(record->etag, &record->done, tag);
    snprintf(url, sizeof url, "/v1/jobs/%s/result", record->id);
    snprintf(preview, sizeof preview, "/v1/jobs/%s/preview", record->id);
    return http_json_object("{s:s, s:s*, s:I, s:s, s:i, s:i, s:s, s:s}", "url", url, "preview",
                            record->done.preview_bytes > 0 ? preview : NULL, "bytes", (long long)record->done.out_bytes,
                            "content_type", job_media_type(&record->spec), "width", (int)record->done.out_width_px,
                            "height", (int)record->done.out_height_px, "etag", tag, "expires",
                            record_write_time(record->expires_ms, expires));
}

problem job_problem(const job_record *record) {
    problem what =
        problem_of(record->status == RECORD_CANCELED ? PROBLEM_GONE : status_map((swin2sr_status)record->outcome), "%s",
                   record->detail);
    strcpy(what.tried, record->tried);
    return what;
}

http_json *job_view(const api_context *service, const kept_job *kept) {
    const job_record *record = &kept->record;
    bool is_done = record->status == RECORD_SUCCEEDED, is_waiting = record->status == RECORD_QUEUED;
    char created[RECORD_TIME_BYTES], started[RECORD_TIME_BYTES], finished[RECORD_TIME_BYTES], plan[FACTS_BYTES],
        notes[FACTS_BYTES];
    problem what = job_problem(record);
    bool has_result = record_has_result(record), has_error = record->status == RECORD_FAILED;
    http_json *result = has_result ? result_view(record) : NULL;
    http_json *error = has_error ? http_json_problem(&what, record->spec.request_id) : NULL;
    if ((has_result && !result) || (has_error && !error))
        return NULL; /* out of memory, and without them it would be another answer */
    facts_plan(&record->done, plan);
    note_text(record->done.notes, notes);
    return http_json_object(
        "{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s*, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:s*, s:s*, s:o*, s:o*, s:s}", "id",
        record->id, "status", record_status_name(record->status), "created",
        record_write_time(record->created_ms, created), "started", record_write_time(record->started_ms, started),
        "finished", record_write_time(record->finished_ms, finished), "model", record_model(record), "choice",
        choice_get(record->done.choice)->token, "width", (int)record->done.in_width_px, "height",
        (int)record->done.in_height_px, "files", record->done.files ? (int)record->done.files : 1, "files_failed",
        (int)record->done.files_failed, "queue_position", is_waiting ? (int)backlog_position(kept) : 0, "progress",
        is_done ? 1.0 : (double)kept->progress / IPC_PROGRESS_DONE, "eta_seconds", job_eta_s(service, kept), "plan",
        is_done ? plan : NULL, "notes", is_done && notes[0] ? notes : NULL, "result", result, "error", error, "token",
        record->token);
}
