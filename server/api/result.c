/* SPDX-License-Identifier: Apache-2.0
 * api/result.c - GET of the result of a job, its preview and its input (stage 9 of 9, respond).
 * In: a job.  Out: the file, whole or in part, or why there is none. The request is held until the file has been compared
 * with its checksum, so that a file that the disk has damaged is never sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/facts.h"
#include "api/jobs.h"
#include "api/routes.h"
#include "probe/probe.h"

#define DAMAGED_RETRY_S 5

static void refuse(http_request *request, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    http_answer_problem(request, &what);
}

static void refuse_unfinished(http_request *request, const job_record *record) {
    problem what = !record_is_finished(record) ? problem_of(PROBLEM_CONFLICT, "the job is %s; there is no result yet",
                                                            record_status_name(record->status))
                   : record->is_expired
                       ? problem_of(PROBLEM_GONE, "the result has been removed; results are kept for a limited time")
                       : job_problem(record);
    if (problem_code(&what) == HTTP_UNAVAILABLE || !record_is_finished(record))
        what.retry_after_s = 1;
    http_answer_problem(request, &what);
}

/* A result is made again, but not in a cluster, where another replica may be sending it; the others are lost. */
static void refuse_damaged(http_request *request, kept_file which) {
    if (((const api_context *)request->app)->backlog->cluster) {
        refuse(request, PROBLEM_INTERNAL, "the file has been damaged in the store; send the image again");
        return;
    }
    problem what = problem_of(
        which == KEPT_RESULT ? PROBLEM_BUSY : PROBLEM_INTERNAL, "%s",
        which == KEPT_RESULT    ? "the result was damaged on the disk and has been set aside; it is made again"
        : which == KEPT_PREVIEW ? "the preview was damaged on the disk and has been set aside; take the result itself"
                                : "the image that was sent was damaged on the disk and has been set aside");
    what.retry_after_s = which == KEPT_RESULT ? DAMAGED_RETRY_S : 0;
    http_answer_problem(request, &what);
}

static void refuse_file(http_request *request, kept_file which, swin2sr_status status) {
    if (status == SWIN2SR_CORRUPT)
        refuse_damaged(request, which);
    else if (status == SWIN2SR_IO)
        refuse(request, PROBLEM_GONE,
               which == KEPT_INPUT ? "the image that was sent has been removed; it is kept as long as its result"
                                   : "the result is no longer in the data folder");
    else if (status == SWIN2SR_BUSY)
        refuse(request, PROBLEM_BUSY, "the store of the jobs cannot be read now");
    else
        refuse(request, PROBLEM_MEMORY, "no memory to read the file");
}

static bool take_name(void *context, const char *name, const char *value) {
    const char **wanted = context;
    if (strcmp(name, "name") == 0)
        *wanted = value;
    return true;
}

/* The query may give a name to save it under (RFC 6266); its bytes are written as hex digits. */
static void add_disposition(http_request *request, const job_spec *spec) {
    char text[32 + 3 * LIMIT_SAVE_NAME_BYTES];
    const char *name = NULL;
    http_request_query(request, take_name, &name);
    if (!name || !name[0] || strlen(name) > LIMIT_SAVE_NAME_BYTES) {
        snprintf(text, sizeof text, "%s; filename=\"enlarged.%s\"", spec->list_bytes ? "attachment" : "inline",
                 job_ending(spec));
    } else {
        char *at = text + sprintf(text, "attachment; filename*=UTF-8''");
        for (; *name; name++)
            at += sprintf(at, "%%%02X", (unsigned char)*name);
    }
    http_answer_header(request, "Content-Disposition", text);
}

static void answer_result(http_request *request, const job_record *record, int fd) {
    char tag[FACTS_ETAG_BYTES];
    facts_etag(record->etag, &record->done, tag);
    http_answer_ranged(request, job_media_type(&record->spec), fd, record->done.out_bytes, tag);
    add_disposition(request, &record->spec);
    http_answer_header(request, "Cache-Control", "private, no-cache");
    facts_answer(request, record_model(record), &record->done, record->frames, record->spec.frames_max > 0);
}

static void answer_preview(http_request *request, const job_record *record, int fd) {
    char result[FACTS_ETAG_BYTES], tag[FACTS_ETAG_BYTES + 8];
    facts_etag(record->etag, &record->done, result);
    snprintf(tag, sizeof tag, "%.*s-preview\"", (int)strlen(result) - 1, result);
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

static void answer_input(http_request *request, const job_record *record, int fd) {
    char tag[LIMIT_ETAG_BYTES + 8];
    snprintf(tag, sizeof tag, "\"%.32s-input\"", record->body_sha256);
    http_answer_ranged(request, input_type(fd, record->spec.in_bytes), fd, record->spec.in_bytes, tag);
    http_answer_header(request, "Content-Disposition", "inline; filename=\"input\"");
    http_answer_header(request, "Cache-Control", "private, no-cache");
}

static void on_open(void *context, swin2sr_status status, int fd) {
    const result_reader *self = context;
    if (status != SWIN2SR_OK)
        refuse_file(self->request, self->read.which, status);
    else if (self->read.which == KEPT_INPUT)
        answer_input(self->request, &self->kept->record, fd);
    else if (self->read.which == KEPT_PREVIEW)
        answer_preview(self->request, &self->kept->record, fd);
    else
        answer_result(self->request, &self->kept->record, fd);
    if (self->has_location)
        jobs_add_location(self->request, self->id);
}

void result_read(result_reader *self, http_request *request, kept_job *kept, kept_file which, bool has_location) {
    const job_record *record = &kept->record;
    *self = (result_reader){.request = request,
                            .kept = kept,
                            .has_location = has_location,
                            .read = {.on_open = on_open, .context = self, .which = which}};
    snprintf(self->id, sizeof self->id, "%s", record->id);
    if (which == KEPT_INPUT || record_has_result(record)) {
        backlog_read(kept, &self->read);
        return;
    }
    refuse_unfinished(request, record);
    if (has_location)
        jobs_add_location(request, self->id);
}

static void begin(http_request *request, kept_file which) {
    kept_job *kept = jobs_find(request);
    const job_record *record = kept ? &kept->record : NULL;
    if (!kept)
        return;
    if (which == KEPT_INPUT && record->spec.list_bytes) {
        refuse(request, PROBLEM_NOT_FOUND, "the images of a job of several files are not given back");
        return;
    }
    if (which == KEPT_PREVIEW && record_has_result(record) && record->done.preview_bytes == 0) {
        problem what =
            problem_of(PROBLEM_NOT_FOUND,
                       "the result has at most %d pixels a side, or is a ZIP, and no preview; take the result itself",
                       LIMIT_PREVIEW_PX);
        http_answer_problem(request, &what);
        return;
    }
    result_reader *self = http_request_state(request, sizeof *self);
    if (self)
        result_read(self, request, kept, which, false);
}

void job_result_on_begin(http_request *request) {
    begin(request, KEPT_RESULT);
}

void job_preview_on_begin(http_request *request) {
    begin(request, KEPT_PREVIEW);
}

void job_input_on_begin(http_request *request) {
    begin(request, KEPT_INPUT);
}

void job_result_on_free(http_request *request) {
    result_reader *self = request->state;
    if (self)
        kept_read_cancel(&self->read);
    free(self);
}
