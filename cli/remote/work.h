/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/work.h - have one image enlarged by a service: as a job that is kept, or in one request.
 * In: an image and a query.  Out: the bytes of the result, in the writer's output.
 * A job is found again by its ticket, or by its Idempotency-Key, and never computed twice. */
#pragma once

#include "job.h"
#include "link.h"
#include "ticket.h"

typedef struct work_order {
    remote_link *link;
    const char *input; /* for messages */
    const void *data;
    size_t size;
    const char *query;           /* "?format=png&..." */
    const char *key;             /* the Idempotency-Key */
    bool is_canceled_by_signals; /* --cancel-on-interrupt */
    bool is_quiet;
    ticket *note;
    char notes[ANSWER_FIELD_BYTES]; /* Out: what the service says of the image, as in X-Swin2SR-Notes */
    char model[LIBRARY_MAX_NAME];   /* Out: the network that made the result; "": it is not said */
    choice_reason choice;           /* Out: as of remote_job */
} work_order;

/* By an upload and a job, which stay until work_remove.
 * errors  As link_call; _INVALID (the service refuses the image or an option). */
swin2sr_status work_by_job(work_order *order, result_writer *writer, swin2sr_error *reterr);

/* Remove the upload and the job from the service, and forget them. */
void work_remove(const work_order *order);

/* By POST /upscale.  errors: as work_by_job. */
swin2sr_status work_at_once(work_order *order, result_writer *writer, swin2sr_error *reterr);
