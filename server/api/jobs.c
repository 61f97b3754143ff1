/* SPDX-License-Identifier: Apache-2.0
 * api/jobs.c - GET, DELETE and the list of jobs, and their results (stages 1 request and 9 respond).
 * In: the id of a job.  Out: its state, its result, or its end.
 * A job is visible to the API key that submitted it, and to everyone with its token. For others it does not exist. */
#include "api/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/facts.h"
#include "api/routes.h"
#include "probe/probe.h"

problem jobs_not_enabled(void) {
    return problem_of(PROBLEM_NOT_ENABLED, "jobs are switched off; the operator switches them on with --data FOLDER");
}

/* ---- finding the job ---- */

static bool take_token(void *context, const char *name, const char *value) {
    const char **token = context;
    if (strcmp(name, "token") == 0)
        *token = value;
    return true;
}

/* Compare all characters, so that the time taken does not reveal the first difference. */
static bool is_token(const job_record *record, const char *token) {
    unsigned int difference = strlen(token) != LIMIT_TOKEN_BYTES - 1;
    for (size_t i = 0; i < LIMIT_TOKEN_BYTES - 1 && !difference; i++)
        difference |= (unsigned char)record->token[i] ^ (unsigned char)token[i];
    return !difference;
}

/* A job that is being removed no longer exists for clients. */
static kept_job *find(http_request *request, bool is_reading) {
    const api_context *service = request->app;
    problem what;
    if (!service->backlog) {
        what = jobs_not_enabled();
        http_answer_problem(request, &what);
        return NULL;
    }
    const char *token = "";
    http_request_query(request, take_token, &token);
    kept_job *kept = backlog_find(service->backlog, request->part);
    bool is_owner = kept && http_request_owns(request, kept->record.spec.owner);
    if (kept && kept->phase != KEPT_ACCEPTING && (is_owner || (is_reading && is_token(&kept->record, token))))
        return kept;
    what = problem_of(PROBLEM_NOT_FOUND, "there is no such job, or it is another client's");
    http_answer_problem(request, &what);
    return NULL;
}

kept_job *jobs_find(http_request *request) {
    return find(request, true);
}

/* ---- GET ---- */

void job_on_begin(http_request *request) {
    const kept_job *kept = jobs_find(request);
    if (!kept)
        return;
    http_answer_value(request, HTTP_OK, job_view(request->app, kept));
    http_answer_header(request, "Cache-Control", "no-store");
}

static void refuse_result(http_request *request, const kept_job *kept) {
    const job_record *record = &kept->record;
    problem what = !record_is_finished(record) ? problem_of(PROBLEM_CONFLICT, "the job is %s; there is no result yet",
                                                            record_status_name(record->status))
                   : record->is_expired
                       ? problem_of(PROBLEM_GONE, "the result has been removed; results are kept for a limited time")
                       : job_problem(record);
    if (problem_code(&what) == HTTP_UNAVAILABLE || !record_is_finished(record))
        what.retry_after_s = 1;
    http_answer_problem(request, &what);
}

/* ---- the result ---- */

static bool take_name(void *context, const char *name, const char *value) {
    const char **wanted = context;
    if (strcmp(name, "name") == 0)
        *wanted = value;
    return true;
}

/* The query may give a name to save it under (RFC 6266); its bytes are written as hex digits. */
static void add_disposition(http_request *request, const format_info *format) {
    char text[32 + 3 * LIMIT_SAVE_NAME_BYTES];
    const char *name = NULL;
    http_request_query(request, take_name, &name);
    if (!name || !name[0] || strlen(name) > LIMIT_SAVE_NAME_BYTES) {
        snprintf(text, sizeof text, "inline; filename=\"enlarged.%s\"", format->endings[0]);
    } else {
        char *at = text + sprintf(text, "attachment; filename*=UTF-8''");
        for (; *name; name++)
            at += sprintf(at, "%%%02X", (unsigned char)*name);
    }
    http_answer_header(request, "Content-Disposition", text);
}

void jobs_answer_result(http_request *request, const kept_job *kept) {
    const job_record *record = &kept->record;
    const format_info *format = format_get(record->spec.format);
    char text[FACTS_BYTES];
    int fd = backlog_open_result(kept);
    if (fd < 0 && record->status == RECORD_SUCCEEDED && !record->is_expired) {
        problem what = problem_of(PROBLEM_GONE, "the result is no longer in the data folder");
        http_answer_problem(request, &what);
        return;
    }
    if (fd < 0) {
        refuse_result(request, kept);
        return;
    }
    http_answer_ranged(request, format->media_type, fd, record->done.out_bytes, record->etag);
    add_disposition(request, format);
    http_answer_header(request, "Cache-Control", "private, no-cache");
    http_answer_header(request, "X-Swin2SR-Model", record->spec.model);
    facts_plan(&record->done, text);
    http_answer_header(request, "X-Swin2SR-Plan", text);
    note_text(record->done.notes, text);
    if (text[0])
        http_answer_header(request, "X-Swin2SR-Notes", text);
    if (record->frames > 1) {
        snprintf(text, sizeof text, "%u", (unsigned int)record->frames);
        http_answer_header(request, "X-Swin2SR-Frames", text);
    }
}

void job_result_on_begin(http_request *request) {
    const kept_job *kept = jobs_find(request);
    if (kept)
        jobs_answer_result(request, kept);
}

void job_preview_on_begin(http_request *request) {
    const kept_job *kept = jobs_find(request);
    int fd = kept ? backlog_open_preview(kept) : -1;
    if (!kept)
        return;
    const job_record *record = &kept->record;
    if (fd < 0 && record->status == RECORD_SUCCEEDED && !record->is_expired) {
        problem what = problem_of(PROBLEM_NOT_FOUND,
                                  "the result has at most %d pixels a side and no preview; take the "
                                  "result itself",
                                  LIMIT_PREVIEW_PX);
        http_answer_problem(request, &what);
        return;
    }
    if (fd < 0) {
        refuse_result(request, kept);
        return;
    }
    char tag[LIMIT_ETAG_BYTES + 8];
    snprintf(tag, sizeof tag, "%.33s-preview\"", record->etag);
    http_answer_ranged(request, "image/jpeg", fd, record->done.preview_bytes, tag);
    http_answer_header(request, "Content-Disposition", "inline; filename=\"preview.jpg\"");
    http_answer_header(request, "Cache-Control", "private, no-cache");
}

static bool read_input(void *context, uint64_t at, void *bytes, size_t size) {
    return pread(*(const int *)context, bytes, size, (off_t)at) == (ssize_t)size;
}

/* What the header of the input says: it was admitted by it. */
static const char *input_type(int fd, uint64_t size) {
    const probe_source source = {.read = read_input, .context = &fd, .size = size};
    probe_info info = {.format = FORMAT_UNKNOWN};
    (void)probe_file(&source, &info, NULL);
    return format_get(info.format)->media_type;
}

void job_input_on_begin(http_request *request) {
    const kept_job *kept = jobs_find(request);
    if (!kept)
        return;
    struct stat facts;
    int fd = backlog_open_input(kept);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        if (fd >= 0)
            close(fd);
        problem what =
            problem_of(PROBLEM_GONE, "the image that was sent has been removed; it is kept as long as its result");
        http_answer_problem(request, &what);
        return;
    }
    char tag[LIMIT_ETAG_BYTES + 8];
    snprintf(tag, sizeof tag, "\"%.32s-input\"", kept->record.body_sha256);
    http_answer_ranged(request, input_type(fd, (uint64_t)facts.st_size), fd, (uint64_t)facts.st_size, tag);
    http_answer_header(request, "Content-Disposition", "inline; filename=\"input\"");
    http_answer_header(request, "Cache-Control", "private, no-cache");
}

/* ---- the list ---- */

typedef struct page {
    char after[LIMIT_JOB_ID_BYTES];
    record_status status; /* _COUNT: any */
    uint32_t limit;
    const char *fault;
} page;

static bool take_page_option(void *context, const char *name, const char *value) {
    page *self = context;
    if (strcmp(name, "limit") == 0) {
        self->limit = (uint32_t)strtoul(value, NULL, 10);
        if (self->limit < 1 || self->limit > LIMIT_JOBS_LISTED || strspn(value, "0123456789") != strlen(value))
            self->fault = "limit: must be a whole number from 1 to 100";
    } else if (strcmp(name, "after") == 0) {
        if (record_is_id(value))
            strcpy(self->after, value);
        else
            self->fault = "after: must be the id of a job";
    } else if (strcmp(name, "status") == 0) {
        int i = 0;
        while (i < RECORD_STATUS_COUNT && strcmp(record_status_name((record_status)i), value) != 0)
            i++;
        self->status = (record_status)i;
        if (i == RECORD_STATUS_COUNT)
            self->fault = "status: must be queued, running, succeeded, failed or canceled";
    } else {
        self->fault = "there are the parameters limit, after and status";
    }
    return !self->fault;
}

/* Newest first. next: the last id, if there are more. */
static http_json *list(const api_context *service, const http_request *request, const page *wanted,
                       const char **ret_next) {
    http_json *jobs = http_json_array();
    const kept_job *last = NULL;
    uint32_t count = 0;
    *ret_next = NULL;
    for (const kept_job *kept = service->backlog->last; kept; kept = kept->previous) {
        if (!http_request_owns(request, kept->record.spec.owner) || kept->phase == KEPT_ACCEPTING ||
            (wanted->after[0] && strcmp(kept->record.id, wanted->after) >= 0) ||
            (wanted->status != RECORD_STATUS_COUNT && kept->record.status != wanted->status))
            continue;
        if (count++ == wanted->limit) {
            *ret_next = last->record.id;
            break;
        }
        http_json_add(&jobs, "o", job_view(service, kept));
        last = kept;
    }
    return jobs;
}

void jobs_on_begin(http_request *request) {
    const api_context *service = request->app;
    page wanted = {.status = RECORD_STATUS_COUNT, .limit = 20};
    problem what = jobs_not_enabled();
    if (service->backlog && !http_request_query(request, take_page_option, &wanted))
        what = problem_of(PROBLEM_OPTION, "%s", wanted.fault);
    if (!service->backlog || wanted.fault) {
        http_answer_problem(request, &what);
        return;
    }
    const char *next;
    http_json *jobs = list(service, request, &wanted, &next);
    char more[120];
    snprintf(more, sizeof more, "/v1/jobs?after=%s&limit=%u%s%s", next ? next : "", (unsigned int)wanted.limit,
             wanted.status == RECORD_STATUS_COUNT ? "" : "&status=",
             wanted.status == RECORD_STATUS_COUNT ? "" : record_status_name(wanted.status));
    /* not s:s*, which leaves the name out for lack of memory too */
    http_answer_json(request, HTTP_OK, next ? "{s:o, s:s}" : "{s:o}", "jobs", jobs, "next", more);
    http_answer_header(request, "Cache-Control", "no-store");
}

/* ---- DELETE ---- */

typedef struct deletion {
    http_request *request;
    kept_watch watch;
    bool has_canceled, has_removed;
} deletion;

/* Cancel the job, or remove it if it is finished. If its end is being written, wait for that first. */
static void on_change(void *context, kept_job *kept) {
    deletion *self = context;
    if (kept->phase == KEPT_REMOVED) {
        http_answer_empty(self->request, HTTP_NO_CONTENT);
    } else if (kept->phase != KEPT_ACCEPTED) {
        return;
    } else if (self->has_canceled) {
        kept_watch_remove(&self->watch);
        http_answer_value(self->request, HTTP_OK, job_view(self->request->app, kept));
    } else if (self->has_removed) {
        kept_watch_remove(&self->watch);
        problem what = problem_of(PROBLEM_STORAGE, "the files of the job could not be removed; they are still there");
        http_answer_problem(self->request, &what);
    } else if (record_is_finished(&kept->record)) {
        self->has_removed = true;
        backlog_remove(kept);
    } else {
        self->has_canceled = true;
        backlog_cancel(kept);
    }
}

void job_delete_on_begin(http_request *request) {
    kept_job *kept = find(request, false);
    deletion *self = kept ? http_request_state(request, sizeof *self) : NULL;
    if (!self)
        return;
    self->request = request;
    self->watch = (kept_watch){.on_change = on_change, .context = self};
    kept_watch_add(kept, &self->watch);
    on_change(self, kept);
}

void job_delete_on_free(http_request *request) {
    deletion *self = request->state;
    if (self)
        kept_watch_remove(&self->watch);
    free(self);
}
