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
#include "picture.h"

typedef struct upscale_run {
    cli_options options; /* first, and then picture: the tables of options store into them */
    picture_options picture;
    enlarge_options enlarge;
    output_names names;
    const char *aux; /* path of the second image; NULL: not wanted */
    bool may_replace;
    bool skips_existing;
    bool is_plan; /* only print what would be done */
    const char *task;
    swin2sr_model *model;
    swin2sr_model *undamaged;        /* as of enlarge_options; NULL: there is no choice */
    const struct upscale_pace *pace; /* of this machine, under --plan */
    size_t skipped;                  /* inputs so far */
    json_t *results;                 /* of --json: one object per input; NULL: they are printed as they finish */
} upscale_run;

_Static_assert(offsetof(upscale_run, picture) == offsetof(picture_state, picture), "the table stores into it");

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

/* Add what became of the frames of an animation to the JSON of an image; takes json. NULL: out of memory. */
json_t *upscale_frames_json(json_t *json, const animation_report *frames);

/* The notes about an image that was enlarged. */
void upscale_report_notes(const upscale_result *result);

/* Enlarge one input, report the result, also as JSON.  returns  An exit code. */
int upscale_image(upscale_run *run, const found_input *input);

/* Print how one input would be processed, also as JSON.  returns  An exit code. */
int upscale_plan(upscale_run *run, const found_input *input);
