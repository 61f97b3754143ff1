/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/link.h - requests to one service over libcurl: the key, time-outs, retries, Ctrl-C.
 * In: a method and a path.  Out: an answer of bounded size, or the reason why there is none, with the name of the host.
 * Certificates are checked; redirects are not followed, so that the key goes to the service alone. */
#pragma once

#include "address.h"
#include "answer.h"
#include "libcurl/libcurl.h"
#include "command/progress.h"
#include "result.h"
#include "retry.h"

#define LINK_HEADERS 5

typedef struct remote_link {
    remote_address address;
    const char *key;   /* sent as a bearer token; NULL: none */
    int32_t timeout_s; /* without progress */
    curl_api api;
    CURL *curl;
    bool was_reached; /* the service has answered before; until then a network error is final */
    bool is_ending;   /* after Ctrl-C: one more request is made */
    retry_state retry;
    progress_line progress;
} remote_link;

typedef struct link_request {
    const char *method;
    const char *path;                  /* after the address of the service */
    const char *headers[LINK_HEADERS]; /* "Name: value"; NULL after the last */
    const void *body;                  /* NULL: none */
    size_t body_bytes;
    result_writer *writer;            /* takes the body of a 200 or 206; NULL: it becomes the answer's text */
    bool is_question;                 /* an answer to it is no progress */
    bool waits_for_work;              /* the answer comes when the image is finished */
    uint64_t done_bytes, total_bytes; /* before the body, and in all, for the progress line; 0: not shown */
} link_request;

/* Load libcurl. address, key and timeout_s are set.  errors _UNSUPPORTED, _NOMEM. */
swin2sr_status link_open(remote_link *self, swin2sr_error *reterr);
void link_close(remote_link *self); /* not opened is fine */

/* Make one request.
 * errors  _BUSY (the network failed, and may work later), _IO (it will not), _CANCELLED (a signal arrived), _NOMEM. */
swin2sr_status link_once(remote_link *self, const link_request *request, remote_answer *ret_answer,
                         swin2sr_error *reterr);

/* Make a request until its answer is not a transient one.
 * errors  As link_once without _BUSY; _IO also when the time without progress is over. */
swin2sr_status link_call(remote_link *self, const link_request *request, remote_answer *ret_answer,
                         swin2sr_error *reterr);

/* Something went on: the time without progress begins again. */
void link_progress(remote_link *self);

/* Wait before the next attempt.
 * reason  Of the last failure; becomes that of giving up.
 * errors  _IO (give up), _CANCELLED. */
swin2sr_status link_pause(remote_link *self, uint32_t retry_after_s, const char *reason, swin2sr_error *reterr);

/* Sleep.  errors _CANCELLED. */
swin2sr_status link_sleep(const remote_link *self, uint64_t us, swin2sr_error *reterr);
