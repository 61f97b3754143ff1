/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/networks.h - the network of a service that --model, --task or neither asks for.
 * In: the answer to GET /v1/models, which may be hostile.  Out: a name that is safe in an address, and its scale. Where
 * the service decides by the picture, the name is LIBRARY_TASK_AUTO. */
#pragma once

#include "answer.h"
#include "library/library.h"

typedef struct remote_network {
    char name[LIBRARY_MAX_NAME];
    int32_t scale; /* 1..16; 0: the service has not loaded it yet */
} remote_network;

/* Choose a network: the one named model, the best for a task by the rule of `swin2sr upscale --task`, or the default.
 * A default that the service lists as one for task=auto, or such a network where that is the task, stands for auto.
 * errors  _MODEL (the service has none that fits; the detail lists what it has), _IO (not such an answer). */
swin2sr_status networks_choose(const remote_answer *answer, const char *host, const char *model, const char *task,
                               remote_network *ret_network, swin2sr_error *reterr);
