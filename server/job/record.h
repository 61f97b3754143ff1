/* SPDX-License-Identifier: Apache-2.0
 * job/record.h - a job that outlives its request and the server: its state, and that state as text.
 * The same fields are in memory and in the file. A text begins with its checksum, so that damage is detected.
 * A version reads the records of all earlier versions: a missing field is 0 or "". Pure. */
#pragma once

#include "format/choice.h"
#include "ipc/ipc.h"
#include "job/spec.h"

#define RECORD_VERSION 1
#define RECORD_MAX_BYTES 8192 /* of the text */

typedef enum record_status {
    RECORD_QUEUED = 0,
    RECORD_RUNNING,
    RECORD_SUCCEEDED,
    RECORD_FAILED,
    RECORD_CANCELED,
    RECORD_STATUS_COUNT
} record_status;

typedef struct job_record {
    uint32_t version;
    char id[LIMIT_JOB_ID_BYTES];
    record_status status;
    int64_t created_ms, started_ms, finished_ms; /* Unix time; 0: not yet. started: of the last attempt */
    int64_t expires_ms;                          /* when input and result are removed; 0: not finished */
    bool is_expired;                             /* they have been removed */
    uint32_t attempts;             /* how many times it was given to the workers, over all starts of the server */
    char token[LIMIT_TOKEN_BYTES]; /* allows reading this job without a key */
    char idempotency_key[LIMIT_IDEMPOTENCY_BYTES]; /* "": none */
    char body_sha256[65];                          /* of the image and its options, hex */
    char input_sha256[65];                         /* of the image; "": an earlier version wrote the record */
    char etag[LIMIT_ETAG_BYTES];                   /* of the result, in quotes */
    job_spec spec;
    uint64_t cost_us;                  /* predicted, on a worker */
    uint32_t frames;                   /* of the input */
    char webhook[LIMIT_WEBHOOK_BYTES]; /* URL that is told of the end; "": none */
    bool is_webhook_owed;              /* it has not been told, and the job has ended; not of a cluster, whose debts are
                                          objects of their own */

    /* of RECORD_SUCCEEDED */
    char result_name[LIMIT_RESULT_NAME_BYTES];  /* in outputs/ */
    char result_sha256[65], preview_sha256[65]; /* of the files; "": there is none, or as for the input */
    uint64_t queue_us;
    ipc_done done;

    /* of RECORD_FAILED */
    int32_t outcome;               /* a swin2sr_status */
    char detail[256];              /* for the client */
    char tried[LIMIT_TRIED_BYTES]; /* as in job */
} job_record;

const char *record_status_name(record_status status);

static inline bool record_is_finished(const job_record *self) {
    return self->status >= RECORD_SUCCEEDED;
}

/* It ended with a result, which is still kept. */
static inline bool record_has_result(const job_record *self) {
    return self->status == RECORD_SUCCEEDED && !self->is_expired;
}

/* The network that made the result. LIBRARY_TASK_AUTO: the picture decides and has not yet, or several pictures have. */
static inline const char *record_model(const job_record *self) {
    const job_spec *spec = &self->spec;
    bool is_open = self->status != RECORD_SUCCEEDED || self->done.choice == CHOICE_SEVERAL;
    if (self->done.choice == CHOICE_UNDAMAGED)
        return spec->undamaged_model;
    return spec->undamaged_model[0] && is_open ? LIBRARY_TASK_AUTO : spec->model;
}

/* An id: the node's name, a dash, 10 characters of time and 16 random ones. Ids of one node sort by time. */
void record_make_id(const char *node, int64_t now_ms, const uint8_t random[10], char ret_id[LIMIT_JOB_ID_BYTES]);

/* true: this has the form of an id. Nothing else may become part of a path. */
bool record_is_id(const char *text);

#define RECORD_TIME_BYTES 32

/* RFC 3339, in UTC with milliseconds.  returns text; NULL for 0. */
const char *record_write_time(int64_t ms, char text[RECORD_TIME_BYTES]);

/* Write a record as text: "sha256 HEX", a line break, one line of JSON.
 * returns  The caller frees it. NULL: out of memory. */
char *record_to_text(const job_record *self);

/* Read such a text of `size` bytes.
 * errors  _CORRUPT (the checksum or a field is wrong), _UNSUPPORTED (a later version wrote it), _NOMEM. ret_record is
 *         untouched then. */
SWIN2SR_MUST_CHECK swin2sr_status record_from_text(const char *text, size_t size, job_record *ret_record);

/* What can be told of a job whose record is damaged: whose it is and when it was made, as far as the text still says it.
 * It cannot be done.
 * text  NULL: it could not be read at all. */
void record_salvage(const char *text, size_t size, const char *id, job_record *ret_record);
