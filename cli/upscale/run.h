/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/run.h - the state of one run of swin2sr upscale, and what it does with each input. */
#pragma once

#include <jansson.h>

#include "command/options.h"
#include "enlarge/enlarge.h"
#include "outputs.h"

typedef struct upscale_run {
    cli_options options; /* first: the table of options stores into it */
    enlarge_options enlarge;
    output_names names;
    const char *aux; /* path of the second image; NULL: not wanted */
    bool may_replace;
    bool keeps_times; /* outputs get the modification time of their inputs */
    bool is_plan;     /* only print what would be done */
    const char *task;
    swin2sr_model *model;
    json_t *results; /* one object per input */
} upscale_run;

/* Enlarge one input, report the result, and under --json append it to run->results.  returns  An exit code. */
int upscale_image(upscale_run *run, const char *input);

/* Print how one input would be processed, or under --json append that to run->results.  returns  An exit code. */
int upscale_plan(upscale_run *run, const char *input);
