/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/outputs.c - what -o and --format mean for the inputs that are there. */
#include <string.h>
#include <unistd.h>

#include "command/interrupt.h"
#include "command/output.h"
#include "command/report.h"
#include "outputs.h"

const char *outputs_format_word(size_t index) {
    return index + 1 < FORMAT_COUNT ? format_get((format_id)(index + 1))->name : NULL;
}

/* Choose the format of the outputs; false: it cannot be written. */
static bool set_format(output_names *self, format_id format) {
    if (format_get(format)->can_write)
        self->format = format;
    return format_get(format)->can_write;
}

bool outputs_take_format(output_names *self, const char *name) {
    int32_t index;
    self->is_format_given = set_format(self, format_by_name(name));
    return self->is_format_given || options_take_word("format", outputs_format_word, name, &index);
}

bool outputs_collect(output_names *self, char **operands, bool is_quiet) {
    const input_walk walk = {.is_recursive = self->is_recursive, .output = self->output, .is_quiet = is_quiet};
    for (; *operands; operands++) {
        self->is_folder |= inputs_is_folder(*operands);
        if (!inputs_add(&self->inputs, *operands, &walk))
            return false;
    }
    return true;
}

/* OUT ends like an image, and several outputs are to be in it: a mistake, unless it is a folder already. */
static bool is_one_file(const output_names *self) {
    return self->is_folder && !inputs_is_folder(self->output) && self->output[strlen(self->output) - 1] != '/' &&
           format_by_path(self->output) != FORMAT_UNKNOWN;
}

bool outputs_settle(output_names *self, const char *json) {
    const char *out = self->output;
    bool is_stdout = strcmp(out, "-") == 0;
    self->is_folder |= self->inputs.count > 1 || out[strlen(out) - 1] == '/' || inputs_is_folder(out);
    if (is_stdout && (self->is_folder || json)) {
        report_error(NULL, "-o -: only for one image%s%s", json ? ", and not with --" : "", json ? json : "");
        return false;
    }
    if (is_stdout && isatty(STDOUT_FILENO)) {
        report_error(NULL, "-o -: standard output is a terminal; redirect it to a file or a pipe");
        return false;
    }
    if (is_one_file(self)) {
        report_error(NULL, "-o %s: names one file, for several inputs or a folder; -o %s/ makes a folder of that name",
                     out, out);
        return false;
    }
    if (self->is_folder || is_stdout || self->is_format_given)
        return true;
    if (set_format(self, format_by_path(out)))
        return true;
    report_error(out, "the ending of the name is not that of a format; give --format");
    return false;
}

bool outputs_assign(output_names *self, const char *suffix) {
    if (self->is_folder)
        return names_assign(&self->inputs, self->output, suffix, self->format);
    found_input *only = &self->inputs.list[0];
    only->output = strdup(self->output);
    if (!only->output)
        report_no_memory();
    return only->output;
}

const found_input *outputs_next(output_names *self) {
    if (self->index == self->inputs.count || interrupt_signal())
        return NULL;
    return &self->inputs.list[self->index++];
}

int outputs_finish(const output_names *self, const cli_options *options, size_t skipped, json_t *results, int worst) {
    if (skipped && !options->is_quiet)
        report_note(NULL, "%zu of %zu skipped: " OUTPUT_SKIPPED, skipped, self->inputs.count);
    if (options->is_json && report_json(json_incref(results)) != CLI_EXIT_OK)
        return CLI_EXIT_SYSTEM;
    return interrupt_exit_code(worst);
}

void outputs_done(output_names *self) {
    inputs_done(&self->inputs);
}
