/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/run.h - the state of one run of swin2sr upscale, and what it does with each input. */
#pragma once

#include <jansson.h>

#include "command/input.h"
#include "command/options.h"
#include "command/output.h"
#include "command/progress.h"
#include "enlarge/animation.h"
#include "outputs.h"
#include "targets.h"

typedef struct upscale_run {
    cli_options options; /* first: the table of options stores into it */
    enlarge_options enlarge;
    output_names names;
    target_texts targets;
    const char *aux; /* path of the second image; NULL: not wanted */
    bool may_replace;
    bool skips_existing;
    bool keeps_times;         /* outputs get the modification time of their inputs */
    bool is_plan;             /* only print what would be done */
    int32_t colour, metadata; /* words of format/metadata.h */
    bool has_provenance;
    bool is_animation; /* enlarge all frames of animations */
    const char *task;
    swin2sr_model *model;
    swin2sr_model *undamaged;        /* as of enlarge_options; NULL: there is no choice */
    const struct upscale_pace *pace; /* of this machine, under --plan */
    size_t skipped;                  /* inputs so far */
    json_t *results;                 /* of --json: one object per input; NULL: they are printed as they finish */
} upscale_run;

/* What became of one input. */
typedef struct upscale_result {
    const char *input;
    const char *output;
    const char *skipped; /* why it was left as it is; NULL: it was not */
    enlarge_report report;
    animation_report frames; /* of an animation whose frames were all enlarged; frames 0: of none */
    double seconds;
    int time_error; /* errno of setting the output's modification time, or 0 */
    swin2sr_status status;
    int problem_code; /* of an input that was refused before any work; 0: status decides */
    swin2sr_error error;
} upscale_result;

/* Enlarge bytes into an output, which is not committed. After a signal the status is _CANCELLED.
 * aux  Open where run->aux is set. */
swin2sr_status upscale_into(const upscale_run *run, const input_file *input, output_file *output, output_file *aux,
                            progress_line *progress, upscale_result *result);

/* The network that enlarged, or will enlarge, an image. */
const char *upscale_network(const upscale_run *run, choice_reason choice);

/* The notes about an image that was enlarged. */
void upscale_report_notes(const upscale_result *result);

/* Enlarge one input, report the result, also as JSON.  returns  An exit code. */
int upscale_image(upscale_run *run, const found_input *input);

/* Print how one input would be processed, also as JSON.  returns  An exit code. */
int upscale_plan(upscale_run *run, const found_input *input);
