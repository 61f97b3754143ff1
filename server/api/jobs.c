/* SPDX-License-Identifier: Apache-2.0
 * api/jobs.c - GET, DELETE and the list of jobs (stages 1 request and 9 respond).
 * In: the id of a job.  Out: its state, or its end.
 * A job is visible to the API key that submitted it, and to everyone with its token. For others it does not exist. */
#include "api/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"

problem jobs_not_enabled(void) {
    return problem_of(PROBLEM_NOT_ENABLED, "jobs are switched off; the operator switches them on with --data FOLDER");
}

void jobs_add_location(http_request *request, const char *id) {
    char location[80];
    snprintf(location, sizeof location, "/v1/jobs/%s", id);
    http_answer_header(request, "Location", location);
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

/* The id of a job begins with the name of the replica that accepted it. A balancer may have chosen another one.
 * node  Of this replica; "": every replica knows all jobs. */
static problem not_found(const char *id, const char *node) {
    int length = (int)strcspn(id, "-");
    if (!record_is_id(id) || !node[0] || (strncmp(id, node, (size_t)length) == 0 && !node[length]))
        return problem_of(PROBLEM_NOT_FOUND, "there is no such job, or it is another client's");
    return problem_of(PROBLEM_NOT_FOUND,
                      "this is replica %s, which does not know the job: its id is of replica %.*s, and a job lives on "
                      "the replica that accepted it; send the request to that one",
                      node, length, id);
}

/* A request that waits until a job of a cluster has been read. */
typedef struct waiting_request {
    kept_ask ask;
    http_pause pause;
} waiting_request;

static void answer_away(http_request *request, const char *detail) {
    problem what = problem_of(PROBLEM_BUSY, "%s", detail);
    what.retry_after_s = 1;
    http_answer_problem(request, &what);
}

static void on_known(void *context, bool is_read) {
    waiting_request *self = context;
    http_request *request = self->pause.request;
    const kept_job *kept = request ? backlog_find(((const api_context *)request->app)->backlog, request->part) : NULL;
    if (is_read || kept || !request)
        http_pause_end(&self->pause);
    else
        answer_away(request, "the store of the jobs cannot be read now");
    free(self);
}

/* true: the job in the path is as the backlog knows it. false: the request is held until it is, or answered. */
static bool is_known(http_request *request, backlog *keeper) {
    bool is_busy;
    waiting_request *self = request->was_paused || !record_is_id(request->part) ? NULL : calloc(1, sizeof *self);
    if (!self)
        return true;
    self->ask = (kept_ask){.on_known = on_known, .context = self};
    if (!backlog_ask(keeper, request->part, &self->ask, &is_busy) && !is_busy) {
        http_pause_begin(request, &self->pause);
        return false;
    }
    free(self);
    if (is_busy)
        answer_away(request, "as many jobs are being read as this service reads at a time");
    return !is_busy;
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
    if (!is_known(request, service->backlog))
        return NULL;
    const char *token = "";
    http_request_query(request, take_token, &token);
    kept_job *kept = backlog_find(service->backlog, request->part);
    bool is_owner = kept && http_request_owns(request, kept->record.spec.owner);
    if (kept && kept->phase != KEPT_ACCEPTING && (is_owner || (is_reading && is_token(&kept->record, token))))
        return kept;
    what = not_found(request->part, service->backlog->cluster ? "" : service->config->node);
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
