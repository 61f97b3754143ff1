/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/run.h - the state of one run of swin2sr remote upscale, and what it does with each input. */
#pragma once

#include <jansson.h>

#include "command/options.h"
#include "key.h"
#include "link.h"
#include "networks.h"
#include "upscale/outputs.h"

typedef struct remote_run {
    cli_options options; /* first: the table of options stores into it */
    const char *server;
    const char *key_file;
    const char *task;
    int32_t quality;
    int32_t timeout_s;
    bool may_replace;
    bool is_strict;
    bool keeps_times;
    bool keeps_jobs;             /* --keep */
    bool is_canceled_by_signals; /* --cancel-on-interrupt */
    output_names names;
    char key[KEY_BYTES];
    remote_link link;
    remote_network network;
    bool has_jobs; /* the service keeps jobs */
    json_t *results;
} remote_run;

/* Have one input enlarged, report the result, and under --json append it to run->results.  returns  An exit code. */
int remote_image(remote_run *run, const char *input);
