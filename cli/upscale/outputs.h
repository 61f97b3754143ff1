/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/outputs.h - the inputs and the outputs of a run: -o and --format, and the name of each output.
 * In: the operands and these options.  Out: one output for each input, in order; wrong options have been reported. */
#pragma once

#include <jansson.h>

#include "command/options.h"
#include "names.h"

typedef struct output_names {
    const char *output;   /* -o OUT; NULL: not given */
    format_id format;     /* of the outputs */
    bool is_format_given; /* by --format */
    bool is_folder;       /* OUT is one */
    bool is_recursive;    /* folders inside folders are walked */
    input_list inputs;
    size_t index; /* of the input at work, from 1 */
} output_names;

/* The words of --format; a cli_words. */
const char *outputs_format_word(size_t index);

/* Take the value of --format. false: not a format that can be written, which has been reported. */
bool outputs_take_format(output_names *self, const char *name);

/* Append the inputs that the operands name. false: out of memory, which has been reported. */
bool outputs_collect(output_names *self, char **operands, bool is_quiet);

/* Find out what OUT is, and the format by its name.
 * json   The option of JSON output that is given, which needs standard output for itself; NULL: none.
 * false  The options contradict each other, which has been reported. */
bool outputs_settle(output_names *self, const char *json);

/* Name the output of each input; suffix: "_x4", for those in a folder. false: out of memory, which has been reported. */
bool outputs_assign(output_names *self, const char *suffix);

/* The next input to work on, which sets index.  returns  NULL: it was the last one, or a signal has arrived. */
const found_input *outputs_next(output_names *self);

/* Tell how many inputs were skipped, and print the results of --json.
 * worst    The largest exit code of an input.
 * returns  The exit code of the run. */
int outputs_finish(const output_names *self, const cli_options *options, size_t skipped, json_t *results, int worst);

void outputs_done(output_names *self);
