/* SPDX-License-Identifier: Apache-2.0
 * admit/admit.h - whether a request and its image are taken (stage 2 of 9, admit).
 * In: the state of the service; the header of an image.  Out: yes, or the problem.
 * Decides from the header alone: no pixel is read in this process. */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "http/problem.h"
#include "pool/pool.h"
#include "probe/probe.h"
#include "store/store.h"

/* Does the service take work for this network now? A refusal says when to try again. */
bool admit_service(const network *target, bool is_draining, problem *ret_problem);

/* May one more request wait for the workers of this network? A refusal says when to try again. */
bool admit_queue(const network *target, problem *ret_problem);

/* Is this an image that can be read, within the limits? Its cost is that of the network.
 * limit_us     How long the work may take.
 * ret_cost_us  How long a worker will take, predicted. */
bool admit_image(const network *target, const store_file *upload, uint64_t limit_us, probe_info *ret_info,
                 uint64_t *ret_cost_us, problem *ret_problem);
