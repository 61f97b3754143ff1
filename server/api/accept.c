/* SPDX-License-Identifier: Apache-2.0
 * api/accept.c - make a job that is kept (stages 1 request and 9 respond).
 * In: an admitted upload; Prefer and Idempotency-Key.  Out: 202 once the job is on the disk, or its result.
 * The request is held while the job is written, and for `wait` seconds after that. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/call.h"
#include "api/jobs.h"
#include "base/clock.h"

/* ---- header fields ---- */

/* One preference, without blanks around it: "respond-async" or "wait=10". Others are ignored (RFC 7240 section 2). */
static void take_preference(upscale_call *self, const char *text, size_t length) {
    if (length == strlen("respond-async") && strncasecmp(text, "respond-async", length) == 0) {
        self->kind = CALL_JOB;
        self->is_preferred = true;
    } else if (length > 5 && length < 12 && strncasecmp(text, "wait=", 5) == 0 && isdigit((unsigned char)text[5])) {
        unsigned long wait_s = strtoul(text + 5, NULL, 10);
        self->wait_s = wait_s < LIMIT_PREFER_WAIT_S ? (uint32_t)wait_s : LIMIT_PREFER_WAIT_S;
    }
}

static void take_preferences(upscale_call *self, const char *text) {
    while (text && *text) {
        text += strspn(text, " \t,;");
        size_t length = strcspn(text, " \t,;");
        take_preference(self, text, length);
        text += length;
    }
}

/* A key in quotes or without. false: empty, too long, or not printable ASCII. */
static bool take_key(upscale_call *self, const char *text) {
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof self->idempotency_key)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    memcpy(self->idempotency_key, text, length);
    return true;
}

bool accept_take_header(upscale_call *self) {
    const char *key = http_request_header(self->request, "Idempotency-Key");
    if (!self->service->backlog) {
        if (self->kind != CALL_JOB)
            return true; /* a preference that cannot be fulfilled is ignored */
        problem what = jobs_not_enabled();
        return call_refuse(self, &what);
    }
    if (self->kind != CALL_ESTIMATE)
        take_preferences(self, http_request_header(self->request, "Prefer"));
    if (self->kind == CALL_JOB && key && !take_key(self, key)) {
        problem what = problem_of(PROBLEM_MALFORMED, "Idempotency-Key: must be 1 to %d printable ASCII characters",
                                  LIMIT_IDEMPOTENCY_BYTES - 1);
        return call_refuse(self, &what);
    }
    return true;
}

/* ---- the answer ---- */

static void stop_waiting(upscale_call *self) {
    loop_timer_clear(self->service->loop, &self->patience);
    kept_watch_remove(&self->watch);
}

static void answer_accepted(upscale_call *self, const kept_job *kept) {
    stop_waiting(self);
    http_answer_value(self->request, HTTP_ACCEPTED, job_view(self->service, kept));
    jobs_add_location(self->request, kept->record.id);
    http_answer_header(self->request, "Cache-Control", "no-store");
    if (self->is_preferred)
        http_answer_header(self->request, "Preference-Applied", "respond-async");
}

static void answer_finished(upscale_call *self, kept_job *kept) {
    stop_waiting(self);
    result_read(&self->reader, self->request, kept, KEPT_RESULT, true);
}

static problem key_reused(void) {
    return problem_of(PROBLEM_KEY_REUSED, "this Idempotency-Key came with another image or other options before");
}

static void answer_refused(upscale_call *self, swin2sr_status status) {
    loop_timer_clear(self->service->loop, &self->patience);
    problem what = status == SWIN2SR_INVALID ? key_reused()
                                             : problem_of(status == SWIN2SR_NOMEM ? PROBLEM_MEMORY : PROBLEM_STORAGE,
                                                          "the job could not be kept; nothing was accepted");
    call_refuse(self, &what);
}

static void on_patience(void *context) {
    upscale_call *self = context;
    answer_accepted(self, self->watch.job);
}

static void on_change(void *context, kept_job *kept) {
    upscale_call *self = context;
    if (kept->phase == KEPT_REFUSED) {
        answer_refused(self, kept->status);
    } else if (kept->phase == KEPT_REMOVED) {
        problem what = problem_of(PROBLEM_GONE, "the job was removed while it was waited for");
        loop_timer_clear(self->service->loop, &self->patience);
        call_refuse(self, &what);
    } else if (kept->phase == KEPT_ACCEPTED && record_is_finished(&kept->record) && self->wait_s > 0) {
        answer_finished(self, kept);
    } else if (kept->phase != KEPT_ACCEPTING && self->wait_s == 0) {
        answer_accepted(self, kept);
    } else if (kept->phase != KEPT_ACCEPTING && !self->patience.is_set) {
        self->patience = (loop_timer){.on_due = on_patience, .context = self};
        loop_timer_set(self->service->loop, &self->patience, swin2sr__clock_us() + (uint64_t)self->wait_s * 1000000);
    }
}

/* The job that an earlier request with this Idempotency-Key made. */
static kept_job *find_earlier(const upscale_call *self) {
    if (!self->idempotency_key[0])
        return NULL;
    return backlog_find_key(self->service->backlog, self->request->owner, self->idempotency_key);
}

bool accept_is_new(upscale_call *self) {
    kept_job *kept = find_earlier(self);
    if (!kept)
        return true;
    problem what;
    if (strcmp(kept->record.body_sha256, self->body_sha256) != 0) {
        what = key_reused();
        return call_refuse(self, &what);
    }
    if (kept->phase == KEPT_ACCEPTING) {
        what = problem_of(PROBLEM_CONFLICT, "the first request with this Idempotency-Key has not been answered yet");
        what.retry_after_s = 1;
        return call_refuse(self, &what);
    }
    answer_accepted(self, kept);
    return false;
}

static bool has_room(upscale_call *self, uint64_t in_bytes) {
    static const struct {
        problem_kind kind;
        const char *detail;
    } rows[BACKLOG_LIMIT_COUNT] = {
        [BACKLOG_JOBS] = {PROBLEM_QUEUE_FULL, "as many jobs wait or run as this service keeps"},
        [BACKLOG_JOBS_OF_KEY] = {PROBLEM_QUEUE_FULL, "as many jobs of this API key wait or run as one key may have"},
        [BACKLOG_KEPT] = {PROBLEM_QUEUE_FULL, "as many jobs are kept as may be; the oldest expire first"},
        [BACKLOG_KEPT_OF_KEY] = {PROBLEM_QUEUE_FULL, "as many jobs of this API key are kept as may be; remove finished "
                                                     "ones"},
        [BACKLOG_BYTES] = {PROBLEM_STORAGE, "the images and results of all jobs take as many bytes as they may; the "
                                            "oldest expire first"},
        [BACKLOG_BYTES_OF_KEY] = {PROBLEM_STORAGE,
                                  "the images and results of this API key's jobs take as many bytes as "
                                  "they may; remove finished ones"},
        [BACKLOG_DISK] = {PROBLEM_STORAGE, "there is no room for one more job on the disk"},
    };
    backlog_excess excess;
    if (backlog_has_room(self->service->backlog, self->request->owner, in_bytes, &excess))
        return true;
    problem what = problem_of(rows[excess.kind].kind, "%s", rows[excess.kind].detail);
    what.limit = excess.limit;
    what.actual = excess.actual;
    what.retry_after_s = excess.kind == BACKLOG_DISK ? LIMIT_STORAGE_RETRY_S : LIMIT_RETRY_AFTER_S;
    return call_refuse(self, &what);
}

bool accept_webhook(upscale_call *self) {
    const char *url = self->intake.options.webhook;
    const host_list *hosts = &self->service->config->webhook_hosts;
    char host[LIMIT_WEBHOOK_BYTES] = "";
    problem what;
    if (!url[0] || self->kind == CALL_ESTIMATE)
        return true;
    if (self->kind != CALL_JOB)
        what = problem_of(PROBLEM_OPTION, "webhook: only jobs have one; send the image to POST /v1/jobs, or with "
                                          "Prefer: respond-async");
    else if (!hosts->text)
        what = problem_of(PROBLEM_OPTION,
                          "webhook: this service sends none; the operator switches them on with --webhook-hosts");
    else if (webhook_parse_url(url, host) || !hosts_have(hosts, host))
        what = problem_of(PROBLEM_OPTION,
                          "webhook: the host %.100s is not one that this service may tell; the operator lists them "
                          "with --webhook-hosts",
                          host);
    else
        return true;
    return call_refuse(self, &what);
}

/* By the jobs and workers of all servers of a cluster. */
static bool can_wait(upscale_call *self) {
    const pool *workers = self->network->owner;
    uint64_t wait_us = backlog_wait_us(self->service->backlog, workers);
    uint64_t limit_us = (uint64_t)self->service->config->jobs_wait_s * 1000000;
    if (wait_us <= limit_us)
        return true;
    problem what = problem_of(PROBLEM_QUEUE_FULL,
                              "a new job would wait for about %" PRIu64 " seconds, by the jobs of all servers, and may "
                              "wait for %" PRIu64,
                              wait_us / 1000000, limit_us / 1000000);
    what.limit = limit_us / 1000000;
    what.actual = wait_us / 1000000;
    what.retry_after_s = pace_retry_in_s(wait_us - limit_us);
    return call_refuse(self, &what);
}

bool accept_early(upscale_call *self, uint64_t body_bytes) {
    bool is_chosen = self->service->pools->pool_count == 1; /* otherwise the form may name another network */
    return self->kind != CALL_JOB || find_earlier(self) ||
           (has_room(self, body_bytes) && (!is_chosen || can_wait(self)));
}

void accept_job(upscale_call *self) {
    backlog *keeper = self->service->backlog;
    if (!has_room(self, self->intake.upload.bytes) || !can_wait(self))
        return;
    job_record wanted = {.spec = call_spec(self), .cost_us = self->work.us, .frames = (uint32_t)self->image.frames};
    if (!self->list_bytes) {
        wanted.done.in_width_px = (uint32_t)self->image.width_px;
        wanted.done.in_height_px = (uint32_t)self->image.height_px;
    }
    wanted.done.files = self->intake.files ? (uint32_t)self->intake.files->count : 0;
    strcpy(wanted.idempotency_key, self->idempotency_key);
    strcpy(wanted.body_sha256, self->body_sha256);
    strcpy(wanted.input_sha256, self->intake.sha256);
    strcpy(wanted.etag, self->etag);
    strcpy(wanted.webhook, self->intake.options.webhook);
    kept_job *kept = backlog_accept(keeper, &wanted, &self->intake.upload);
    if (!kept) {
        answer_refused(self, SWIN2SR_NOMEM);
        return;
    }
    self->watch = (kept_watch){.on_change = on_change, .context = self};
    kept_watch_add(kept, &self->watch);
}

void accept_forget(upscale_call *self) {
    stop_waiting(self);
    kept_read_cancel(&self->reader.read);
}
