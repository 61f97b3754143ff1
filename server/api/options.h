/* SPDX-License-Identifier: Apache-2.0
 * api/options.h - the options of POST /upscale, the same as query parameters and as form fields (stage 1, request).
 * An unknown name, a wrong value, or a name said twice is a problem, never ignored. */
#ifndef SWIN2SR_SERVER_OPTIONS_H
#define SWIN2SR_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "http/problem.h"
#include "ipc/ipc.h"

typedef struct upscale_options {
    ipc_image image;                           /* of the answer; default PNG */
    uint32_t quality;                          /* 1..100, default 95; no effect on PNG */
    char model[sizeof((ipc_ready *)0)->model]; /* "" : the server's */
    bool has_image, has_quality;
} upscale_options;

void upscale_options_init(upscale_options *self);
bool upscale_options_set(upscale_options *self, const char *name, const char *value, problem *ret_problem);

#endif
