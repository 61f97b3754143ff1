/* SPDX-License-Identifier: Apache-2.0
 * api/jobs.h - jobs as clients see them (stage 9 of 9, respond). */
#pragma once

#include "api/context.h"

/* The job as JSON; NULL: out of memory. */
http_json *job_view(const api_context *service, const kept_job *kept);

/* What a failed or canceled job has come to. */
problem job_problem(const job_record *record);

/* Seconds until the job is finished, predicted; 0: it is. */
double job_eta_s(const api_context *service, const kept_job *kept);

/* Answer with the result of a finished job, or with the reason why there is none. */
void jobs_answer_result(http_request *request, const kept_job *kept);

/* The job that the path names and the client may see. NULL: the request is answered. */
kept_job *jobs_find(http_request *request);

/* 501: there is no --data. */
problem jobs_not_enabled(void);
