/* SPDX-License-Identifier: Apache-2.0
 * api/jobs.h - jobs in answers to clients (stage 9 of 9, respond). */
#pragma once

#include "api/context.h"

/* The job as JSON; NULL: out of memory. */
http_json *job_view(const api_context *service, const kept_job *kept);

/* The problem of a failed or canceled job. */
problem job_problem(const job_record *record);

/* Predicted seconds until the job is finished; 0: it is finished. */
double job_eta_s(const api_context *service, const kept_job *kept);

/* Add the path of a job to an answer. */
void jobs_add_location(http_request *request, const char *id);

/* The job in the path, if the client may see it. NULL: the request is answered, or on_begin is called again when the
 * job has been read from the shared store. */
kept_job *jobs_find(http_request *request);

/* 501: there is no --data. */
problem jobs_not_enabled(void);

/* ---- api/result.c ---- */

/* A request that waits for a file of a job to be compared with its checksum. */
typedef struct result_reader {
    http_request *request;
    const kept_job *kept; /* may be gone when there is no file */
    char id[LIMIT_JOB_ID_BYTES];
    bool has_location; /* the answer names the job */
    kept_read read;
} result_reader;

/* Answer with a file of a job, or with the problem of one that failed, now or later. Until then,
 * kept_read_cancel(&self->read) is needed before self goes. */
void result_read(result_reader *self, http_request *request, kept_job *kept, kept_file which, bool has_location);
