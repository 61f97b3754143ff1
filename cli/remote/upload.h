/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/upload.h - send an image as a resumable upload (tus 1.0.0).
 * In: bytes in memory, and the upload that an earlier run began, if any.  Out: the id of a whole upload.
 * It survives broken connections and restarts of the service. The service's word on how much it has is taken. */
#pragma once

#include "link.h"
#include "ticket.h"

/* Whether the service has resumable uploads and jobs.
 * errors  As link_call; _IO: it refuses the question. */
swin2sr_status upload_ask(remote_link *link, bool *ret_has_jobs, swin2sr_error *reterr);

/* Send what is missing. note->upload names an upload to go on with, or is ""; a new one is written down at once.
 * errors  As link_call; _INVALID (the service refuses the image, too large, say). */
swin2sr_status upload_send(remote_link *link, const void *data, size_t size, ticket *note, swin2sr_error *reterr);

/* Remove the upload from the service. A failure is ignored, because it expires. */
void upload_remove(remote_link *link, ticket *note);
