/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/job.h - a job as the service describes it.
 * In: JSON, which may be hostile.  Out: the members that are used, each checked and bounded. */
#pragma once

#include "format/note.h"
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "answer.h"
#include "format/choice.h"
#include "library/library.h"

#define JOB_TEXT_BYTES 160

typedef enum job_status {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_SUCCEEDED,
    JOB_FAILED,
    JOB_CANCELED,
    JOB_STATUS_COUNT
} job_status;

typedef struct remote_job {
    char id[ADDRESS_ID_BYTES];
    job_status status;
    double progress; /* 0..1 */
    double eta_s;    /* 0: not known */
    int32_t queue_position;
    bool has_result; /* it has succeeded, and the result has not expired */
    uint64_t result_bytes;
    char notes[NOTE_TEXT_BYTES];
    char model[LIBRARY_MAX_NAME]; /* "": not stated */
    choice_reason choice; /* why it was this network; CHOICE_NONE: it was named, or the reason is not known here */
    long error_code;      /* of a failed job, as of HTTP; 0: not stated */
    char error[JOB_TEXT_BYTES]; /* why it failed */
} remote_job;

static inline bool job_is_finished(const remote_job *job) {
    return job->status >= JOB_SUCCEEDED;
}

/* Read a job from the text of an answer. false: it is not one. */
bool job_parse(const remote_answer *answer, remote_job *ret_job);
