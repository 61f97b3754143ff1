/* SPDX-License-Identifier: Apache-2.0
 * admit/admit.h - may this work be taken? (stage 2 of 9, admit)
 * In: the state of the service; the first bytes of an image.  Out: yes, or the problem.
 * Decides from the header alone: no pixel is read in this process. */
#ifndef SWIN2SR_SERVER_ADMIT_H
#define SWIN2SR_SERVER_ADMIT_H

#include <stdbool.h>

#include "config/config.h"
#include "http/http.h"
#include "http/problem.h"
#include "pool/pool.h"
#include "probe/probe.h"
#include "store/store.h"

/* Is there room for one more request to this model now? One that is refused because the queue is full is told when to
 * come again.
 * sender  Who asks (admit_sender_of): its refusal keeps a place for it. */
bool admit_sender(pool *workers, bool is_draining, uint64_t sender, problem *ret_problem);

/* A number that two requests share when they come from the same client with the same work, and mostly only then: made
 * of the client's address as proxies say it, its program and key, and the length of the body. */
uint64_t admit_sender_of(const http_request *request);

/* Is this an image that we read, within the limits? Those of time, memory and the result are those of the model. */
bool admit_image(const pool *workers, const store_file *upload, probe_info *ret_info, problem *ret_problem);

#endif
