/* SPDX-License-Identifier: Apache-2.0
 * api/call.h - one image and what the client wants: an answer, a job or an estimate (stages 1 request and 9 respond).
 * api/upscale.c receives and admits the image for all three, api/accept.c makes the job. */
#pragma once

#include "admit/admit.h"
#include "api/context.h"
#include "api/intake.h"
#include "api/jobs.h"
#include "probe/probe.h"

typedef enum call_kind {
    CALL_NOW = 0, /* the answer is the enlarged image */
    CALL_JOB,     /* the answer is 202, or the image if it is finished within wait_s */
    CALL_ESTIMATE,
} call_kind;

typedef struct upscale_call {
    http_request *request;
    const api_context *service;
    call_kind kind;
    intake intake;
    checksum *reading;  /* of a resumable upload that is the input; NULL: none is under way */
    network *network;   /* the default, until an option chooses another */
    network *undamaged; /* in its place for a picture that is surely undamaged; NULL: there is no choice */
    bool is_hurried;    /* network is the one for a hurry, because of the level of degrading */
    probe_info image;
    admit_work work;             /* how the image will be enlarged; of several, what they take together */
    uint32_t list_bytes;         /* of the list of several images, at the end of the upload; 0: it is one image */
    char body_sha256[65];        /* of the image and its options, once the upload is complete */
    char etag[LIMIT_ETAG_BYTES]; /* of the result */

    /* CALL_NOW */
    job job;
    bool has_job; /* submitted and not finished */

    /* CALL_JOB */
    bool is_preferred; /* by a Prefer header, not by the path */
    uint32_t wait_s;
    char idempotency_key[LIMIT_IDEMPOTENCY_BYTES];
    kept_watch watch;
    loop_timer patience;
    result_reader reader; /* of the result, once the job is finished */
} upscale_call;

/* Answer with a problem; always false. A 503 or 507 says when to retry. */
bool call_refuse(upscale_call *self, problem *what);

/* The limit of the service on the time of the work; for a job, from when it is the next to get a worker. */
uint64_t call_limit_us(const upscale_call *self);

/* The spec of the job for a worker. */
job_spec call_spec(const upscale_call *self);

/* ---- api/several.c ---- */

/* Admit the files of a form with several, and write the list of them behind them. false: the request is answered. */
bool several_admit(upscale_call *self, const admit_terms *terms);

/* ---- api/etag.c ---- */

/* Set body_sha256 and etag of a call whose upload is complete and whose network is chosen. The tag depends on all that
 * the bytes of the result depend on: image, options, weights, program, precision and kernel level. */
void etag_set(upscale_call *self);

/* ---- api/accept.c ---- */

/* Read Prefer and Idempotency-Key, and make the call a job if they say so. false: the request is answered. */
bool accept_take_header(upscale_call *self);

/* After the upload, before admission: answer with the job that a request with this Idempotency-Key has made.
 * returns  true: there is none; false: the request is answered. */
bool accept_is_new(upscale_call *self);

/* Before the body: is there room for the job that the request wants to make? false: the request is answered. */
bool accept_early(upscale_call *self, uint64_t body_bytes);

/* May the host that is to be told of the end of the job be told? false: the request is answered. */
bool accept_webhook(upscale_call *self);

/* After admission: make the job, and answer when it is on the disk. */
void accept_job(upscale_call *self);

/* The client left, or the request ends. The job continues. */
void accept_forget(upscale_call *self);
