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

/* Answer with the result of a finished job, or with the problem of a failed one. */
void jobs_answer_result(http_request *request, const kept_job *kept);

/* The job in the path, if the client may see it. NULL: the request is answered. */
kept_job *jobs_find(http_request *request);

/* 501: there is no --data. */
problem jobs_not_enabled(void);
