/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/run.h - what one run of swin2sr upscale knows, and what is done with each of its inputs. */
#ifndef SWIN2SR_CLI_UPSCALE_RUN_H
#define SWIN2SR_CLI_UPSCALE_RUN_H

#include <jansson.h>

#include "command/options.h"
#include "enlarge/enlarge.h"
#include "names.h"

typedef struct upscale_run {
    cli_options options; /* first: the table of options stores into it */
    enlarge_options enlarge;
    const char *output;
    const char *aux; /* where the second image goes; NULL: nowhere */
    bool is_format_given;
    bool may_replace;
    bool keeps_times; /* outputs get the modification time of their inputs */
    bool is_folder;   /* output is one */
    bool is_plan;     /* only print what would be done */
    const char *task;
    swin2sr_model *model;
    name_list inputs;
    name_list outputs; /* of the inputs so far */
    json_t *results;   /* one object per input */
} upscale_run;

/* Enlarge one input into its output, report the result and append it to run->results.
 * returns  An exit code. */
int upscale_image(upscale_run *run, const char *input);

/* Print how one input would be done, or append that to run->results.  returns  An exit code. */
int upscale_plan(upscale_run *run, const char *input);

#endif
