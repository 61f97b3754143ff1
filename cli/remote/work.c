/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/work.c - submit, watch, fetch, remove. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/report.h"
#include "upload.h"
#include "work.h"

#define PATH_BYTES 900
#define MAX_SUBMITS 3 /* jobs that vanish or have ended badly before */
#define FIRST_POLL_US 50000u
#define POLL_US 500000u

static void job_path(const ticket *note, const char *part, char path[160]) {
    snprintf(path, 160, "/v1/jobs/%s%s", note->job, part);
}

static swin2sr_status not_a_job(const remote_link *link, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s does not answer like a service with jobs", link->address.host);
}

static void forget(ticket *note) {
    note->job[0] = '\0';
    ticket_write(note);
}

/* Cancel the job, or remove it if it is finished.
 * is_patient  As link_call; else one attempt. */
static swin2sr_status delete_job(remote_link *link, const ticket *note, bool is_patient, swin2sr_error *reterr) {
    char path[160];
    remote_answer answer;
    link_request request = {.method = "DELETE", .path = path};
    job_path(note, "", path);
    return is_patient ? link_call(link, &request, &answer, reterr) : link_once(link, &request, &answer, reterr);
}

/* ---- the job ---- */

/* Whether a job that is there already can give the result. */
static bool is_usable(const remote_job *job) {
    return !job_is_finished(job) || job->has_result;
}

/* Ask for the state of the job. A job that is not there any more is forgotten. */
static swin2sr_status ask(const work_order *order, remote_job *ret_job, swin2sr_error *reterr) {
    char path[160];
    remote_answer answer;
    job_path(order->note, "", path);
    swin2sr_status status = link_call(order->link, &(link_request){.method = "GET", .path = path}, &answer, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (answer.code == 404 || answer.code == 410) {
        forget(order->note);
        return SWIN2SR_OK;
    }
    if (answer.code != 200)
        return answer_fail(&answer, order->link->address.host, reterr);
    return job_parse(&answer, ret_job) ? SWIN2SR_OK : not_a_job(order->link, reterr);
}

/* POST /v1/jobs. A service that knows an upload by its id refuses the key with another upload of the same image:
 * is_own_key adds the upload to it. */
static swin2sr_status post(const work_order *order, bool is_own_key, remote_answer *ret_answer, swin2sr_error *reterr) {
    char path[PATH_BYTES], key[256];
    int length = snprintf(path, sizeof(path), "/v1/jobs%s", order->query);
    if (length >= PATH_BYTES || !address_add_query(path, sizeof(path), "upload", order->note->upload))
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "the request is too long");
    snprintf(key, sizeof(key), "Idempotency-Key: %.80s%s%s", order->key, is_own_key ? "-" : "",
             is_own_key ? order->note->upload : "");
    return link_call(order->link, &(link_request){.method = "POST", .path = path, .headers = {key}}, ret_answer,
                     reterr);
}

static swin2sr_status submit(const work_order *order, remote_job *ret_job, swin2sr_error *reterr) {
    remote_answer answer;
    progress_phase(&order->link->progress, "sending");
    swin2sr_status status = upload_send(order->link, order->data, order->size, order->note, reterr);
    if (status == SWIN2SR_OK)
        status = post(order, false, &answer, reterr);
    if (status == SWIN2SR_OK && answer.code == 422 && answer_has_code(&answer, "idempotency_key_reused"))
        status = post(order, true, &answer, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (answer.code != 202)
        return answer_fail(&answer, order->link->address.host, reterr);
    if (!job_parse(&answer, ret_job))
        return not_a_job(order->link, reterr);
    strcpy(order->note->job, ret_job->id);
    ticket_write(order->note);
    return SWIN2SR_OK;
}

/* A job that can give the result: the ticket's, or a new one. One that has ended badly is removed first, so that its
 * Idempotency-Key is free. */
static swin2sr_status find_or_submit(const work_order *order, remote_job *ret_job, swin2sr_error *reterr) {
    bool is_found = false;
    swin2sr_status status = order->note->job[0] ? ask(order, ret_job, reterr) : SWIN2SR_OK;
    for (int i = 0; status == SWIN2SR_OK && !is_found && i < MAX_SUBMITS; i++) {
        if (!order->note->job[0])
            status = submit(order, ret_job, reterr);
        is_found = status == SWIN2SR_OK && is_usable(ret_job);
        if (status == SWIN2SR_OK && !is_found) {
            status = delete_job(order->link, order->note, true, reterr);
            forget(order->note);
        }
    }
    if (status == SWIN2SR_OK && !is_found)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s keeps a job of this image that has ended without a result",
                                  order->link->address.host);
    return status;
}

static void show(const work_order *order, const remote_job *job) {
    progress_line *progress = &order->link->progress;
    char place[16] = "enlarging";
    if (job->status == JOB_QUEUED)
        snprintf(place, sizeof(place), "queue %d", (int)job->queue_position);
    progress_phase(progress, place);
    progress_tell(progress, job->progress, job->eta_s);
}

/* Wait until the job is finished. It may vanish, which forgets it. */
static swin2sr_status watch(const work_order *order, remote_job *job, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    uint64_t pause_us = FIRST_POLL_US;
    while (status == SWIN2SR_OK && order->note->job[0] && !job_is_finished(job)) {
        show(order, job);
        status = link_sleep(order->link, pause_us, reterr);
        pause_us = pause_us * 2 < POLL_US ? pause_us * 2 : POLL_US;
        if (status == SWIN2SR_OK)
            status = ask(order, job, reterr);
    }
    return status;
}

/* ---- the result ---- */

/* Ask for what is missing of the result. etag: of the bytes that have come, or "". */
static swin2sr_status fetch_once(const work_order *order, result_writer *writer, const remote_job *job,
                                 char etag[ANSWER_FIELD_BYTES], remote_answer *ret_answer, swin2sr_error *reterr) {
    char path[160], range[64], condition[ANSWER_FIELD_BYTES + 16];
    link_request request = {.method = "GET",
                            .path = path,
                            .writer = writer,
                            .done_bytes = writer->position,
                            .total_bytes = job->result_bytes};
    job_path(order->note, "/result", path);
    snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-", writer->position);
    snprintf(condition, sizeof(condition), "If-Range: %s", etag);
    if (writer->position > 0 && etag[0]) {
        request.headers[0] = range;
        request.headers[1] = condition;
    }
    swin2sr_status status = link_once(order->link, &request, ret_answer, reterr);
    bool is_strong = ret_answer->etag[0] == '"';
    for (const char *c = ret_answer->etag; *c; c++)
        is_strong &= isgraph((unsigned char)*c) != 0;
    if (ret_answer->code == 200)
        snprintf(etag, ANSWER_FIELD_BYTES, "%s", is_strong ? ret_answer->etag : "");
    return status;
}

static swin2sr_status fetch(const work_order *order, result_writer *writer, const remote_job *job,
                            swin2sr_error *reterr) {
    char etag[ANSWER_FIELD_BYTES] = "";
    progress_phase(&order->link->progress, "fetching");
    for (uint64_t best = 0;;) {
        remote_answer answer;
        swin2sr_error failure = {0};
        swin2sr_status status = fetch_once(order, writer, job, etag, &answer, &failure);
        if (writer->position > best) {
            best = writer->position;
            link_progress(order->link);
        }
        if (status == SWIN2SR_OK && (answer.code == 200 || answer.code == 206))
            return writer->position == job->result_bytes
                       ? SWIN2SR_OK
                       : swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s sent %" PRIu64 " bytes of %" PRIu64,
                                            order->link->address.host, writer->position, job->result_bytes);
        if (status != SWIN2SR_OK && status != SWIN2SR_BUSY)
            return swin2sr__error_set(reterr, status, "%s", failure.text);
        if (status == SWIN2SR_OK && !answer_is_transient(&answer))
            return answer_fail(&answer, order->link->address.host, reterr);
        if (status == SWIN2SR_OK)
            answer_fail(&answer, order->link->address.host, &failure);
        status = link_pause(order->link, answer_retry_after_s(&answer), failure.text, reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
}

/* ---- all of it ---- */

static swin2sr_status end_of(const work_order *order, const remote_job *job, swin2sr_error *reterr) {
    if (job->status == JOB_CANCELED)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s: the job was canceled by somebody else",
                                  order->link->address.host);
    swin2sr_status status = answer_status_of(job->error_code);
    return swin2sr__error_set(reterr, status, "%.60s: %s", order->link->address.host,
                              job->error[0] ? job->error : "the job failed and its result is gone");
}

/* After Ctrl-C: cancel the job, or say how to get it back. */
static void leave(const work_order *order) {
    remote_link *link = order->link;
    progress_done(&link->progress);
    link->is_ending = true;
    if (order->is_canceled_by_signals) {
        bool has_job = order->note->job[0];
        if (has_job)
            delete_job(link, order->note, false, NULL);
        work_remove(order);
        if (has_job && !order->is_quiet)
            report_note(order->input, "the job on %s was canceled", link->address.host);
    } else if (order->note->job[0] && !order->is_quiet) {
        report_note(order->input, "the job %s goes on on %s; the same command again fetches its result",
                    order->note->job, link->address.host);
    } else if (order->note->upload[0] && !order->is_quiet) {
        report_note(order->input, "the same command again sends the rest");
    }
}

/* A name that is safe to show. */
static void take_model(work_order *order, const char *name, choice_reason choice) {
    order->choice = choice;
    snprintf(order->model, sizeof(order->model), "%.64s", library_is_name(name) ? name : "");
}

swin2sr_status work_by_job(work_order *order, result_writer *writer, swin2sr_error *reterr) {
    remote_job job = {.status = JOB_STATUS_COUNT};
    swin2sr_status status = SWIN2SR_OK;
    for (int i = 0; status == SWIN2SR_OK && (i == 0 || !order->note->job[0]) && i < MAX_SUBMITS; i++) {
        status = find_or_submit(order, &job, reterr);
        if (status == SWIN2SR_OK)
            status = watch(order, &job, reterr);
    }
    if (status == SWIN2SR_OK && !order->note->job[0])
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s: the job was removed by somebody else",
                                    order->link->address.host);
    if (status == SWIN2SR_OK)
        status = job.has_result ? fetch(order, writer, &job, reterr) : end_of(order, &job, reterr);
    if (status == SWIN2SR_CANCELLED)
        leave(order);
    snprintf(order->notes, sizeof(order->notes), "%s", job.notes);
    take_model(order, job.model, job.choice);
    return status;
}

void work_remove(const work_order *order) {
    if (order->note->job[0] && delete_job(order->link, order->note, false, NULL) == SWIN2SR_OK)
        order->note->job[0] = '\0';
    upload_remove(order->link, order->note);
    ticket_write(order->note);
}

swin2sr_status work_at_once(work_order *order, result_writer *writer, swin2sr_error *reterr) {
    char path[PATH_BYTES];
    remote_answer answer;
    link_request request = {.method = "POST",
                            .path = path,
                            .headers = {"Content-Type: application/octet-stream"},
                            .body = order->data,
                            .body_bytes = order->size,
                            .writer = writer,
                            .waits_for_work = true};
    snprintf(path, sizeof(path), "/upscale%s", order->query);
    progress_phase(&order->link->progress, "enlarging");
    swin2sr_status status = link_call(order->link, &request, &answer, reterr);
    if (status == SWIN2SR_OK && answer.code != 200)
        status = answer_fail(&answer, order->link->address.host, reterr);
    snprintf(order->notes, sizeof(order->notes), "%s", answer.notes);
    take_model(order, answer.model, choice_find(answer.choice));
    return status;
}
