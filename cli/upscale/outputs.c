/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/outputs.c - what -o and --format mean for the inputs that are there. */
#include <string.h>
#include <unistd.h>

#include "command/options.h"
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

int outputs_collect(output_names *self, char **operands) {
    int worst = CLI_EXIT_OK;
    for (; *operands; operands++) {
        self->is_folder |= names_is_folder(*operands);
        int code = names_add_input(&self->inputs, *operands);
        worst = code > worst ? code : worst;
    }
    return worst;
}

bool outputs_settle(output_names *self, bool is_json) {
    const char *out = self->output;
    bool is_stdout = strcmp(out, "-") == 0;
    self->is_folder |= self->inputs.count > 1 || out[strlen(out) - 1] == '/' || names_is_folder(out);
    if (is_stdout && (self->is_folder || is_json)) {
        report_error(NULL, "-o -: only for one image%s", is_json ? ", and not with --json" : "");
        return false;
    }
    if (is_stdout && isatty(STDOUT_FILENO)) {
        report_error(NULL, "-o -: standard output is a terminal; redirect it to a file or a pipe");
        return false;
    }
    if (self->is_folder || is_stdout || self->is_format_given)
        return true;
    if (set_format(self, format_by_path(out)))
        return true;
    report_error(out, "the ending of the name is not that of a format; give --format");
    return false;
}

const char *outputs_next(output_names *self, const char *input, int32_t scale, bool *ret_is_taken) {
    char *output = self->is_folder ? names_in_folder(self->output, input, scale, self->format) : strdup(self->output);
    *ret_is_taken = output && names_has(&self->outputs, output);
    return names_take(&self->outputs, output) ? output : NULL;
}

void outputs_done(output_names *self) {
    names_free(&self->inputs);
    names_free(&self->outputs);
}
