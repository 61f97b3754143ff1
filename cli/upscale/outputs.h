/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/outputs.h - the inputs and the outputs of a run: -o and --format, and the name of each output.
 * In: the operands and these options.  Out: one output for each input, in order; wrong options have been reported. */
#pragma once

#include "names.h"

typedef struct output_names {
    const char *output;   /* -o OUT; NULL: not given */
    format_id format;     /* of the outputs */
    bool is_format_given; /* by --format */
    bool is_folder;       /* OUT is one */
    name_list inputs;
    name_list outputs; /* of the inputs so far */
} output_names;

/* The words of --format; a cli_words. */
const char *outputs_format_word(size_t index);

/* Take the value of --format. false: not a format that can be written, which has been reported. */
bool outputs_take_format(output_names *self, const char *name);

/* Append the inputs that the operands name.  returns  An exit code. */
int outputs_collect(output_names *self, char **operands);

/* Find out what OUT is, and the format by its name. false: the options contradict each other, which has been reported. */
bool outputs_settle(output_names *self, bool is_json);

/* The name of the next input's output; NULL: out of memory, which has been reported.
 * ret_is_taken  An input before has this output. */
const char *outputs_next(output_names *self, const char *input, int32_t scale, bool *ret_is_taken);

void outputs_done(output_names *self);
