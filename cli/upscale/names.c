/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/names.c - name outputs, and find those of one name by sorting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/report.h"
#include "names.h"

typedef struct naming {
    const char *folder;
    const char *suffix;
    format_id format;
} naming;

static bool name_one(const naming *self, found_input *input, bool keeps_ending) {
    const char *inner = strcmp(input->path, "-") == 0 ? "stdin" : input->inner;
    const char *slash = self->folder[0] && self->folder[strlen(self->folder) - 1] == '/' ? "" : "/";
    size_t stem = (size_t)(basename(inner) - inner) + inputs_stem(basename(inner));
    char *output, *ending = NULL;
    if (keeps_ending && inner[stem] && asprintf(&ending, "_%s", inner + stem + 1) < 0)
        return false;
    int length = asprintf(&output, "%s%s%.*s%s%s.%s", self->folder, slash, (int)stem, inner, ending ? ending : "",
                          self->suffix, format_get(self->format)->endings[0]);
    free(ending);
    free(input->output);
    input->output = length < 0 ? NULL : output;
    return length >= 0;
}

/* By output, and inputs of one output in their order. */
static int by_output(const void *a, const void *b) {
    const found_input *first = *(found_input *const *)a, *second = *(found_input *const *)b;
    int order = strcmp(first->output, second->output);
    return order ? order : (first > second) - (first < second);
}

static const char *ending_of(const found_input *input) {
    return format_ending(input->inner);
}

/* The end of the group of equal outputs that begins at `from`. */
static size_t group_end(found_input *const *sorted, size_t n, size_t from) {
    size_t to = from + 1;
    while (to < n && strcmp(sorted[to]->output, sorted[from]->output) == 0)
        to++;
    return to;
}

static bool keep_endings(const naming *self, found_input **sorted, size_t n) {
    for (size_t from = 0, to; from < n; from = to) {
        bool is_different = false;
        to = group_end(sorted, n, from);
        for (size_t i = from + 1; i < to; i++)
            is_different |= strcmp(ending_of(sorted[i]), ending_of(sorted[from])) != 0;
        for (size_t i = from; i < to && is_different; i++)
            if (!name_one(self, sorted[i], true))
                return false;
    }
    return true;
}

static bool refuse_rest(found_input **sorted, size_t n) {
    for (size_t from = 0, to; from < n; from = to) {
        to = group_end(sorted, n, from);
        for (size_t i = from + 1; i < to; i++) {
            sorted[i]->problem_code = CLI_EXIT_IO;
            if (asprintf(&sorted[i]->problem, "%s: already the output of another input", sorted[i]->output) < 0) {
                sorted[i]->problem = NULL;
                return false;
            }
        }
    }
    return true;
}

bool names_assign(input_list *inputs, const char *folder, const char *suffix, format_id format) {
    const naming how = {folder, suffix, format};
    found_input **sorted = calloc(inputs->count + 1, sizeof(found_input *));
    size_t n = 0;
    bool is_ok = sorted;
    for (size_t i = 0; i < inputs->count && is_ok; i++) {
        found_input *input = &inputs->list[i];
        if (input->problem)
            continue;
        sorted[n++] = input;
        is_ok = name_one(&how, input, false);
    }
    if (is_ok) {
        qsort(sorted, n, sizeof(*sorted), by_output);
        is_ok = keep_endings(&how, sorted, n);
    }
    if (is_ok) {
        qsort(sorted, n, sizeof(*sorted), by_output);
        is_ok = refuse_rest(sorted, n);
    }
    free(sorted);
    if (!is_ok)
        report_no_memory();
    return is_ok;
}
