/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/decide.c - compare inputs and outputs with the manifest. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command/report.h"
#include "run.h"

static void refuse(batch_item *item, const batch_run *run, const char *reason) {
    bool is_skipped = run->local.skips_existing;
    item->state = is_skipped ? BATCH_SKIPPED : BATCH_REFUSED;
    item->reason = is_skipped ? OUTPUT_SKIPPED : reason;
    item->code = CLI_EXIT_IO;
}

/* What is to be done where something has the output's name. --force replaces all but what is finished. */
static void decide_existing(const batch_run *run, batch_item *item, const manifest_record *record) {
    const found_input *input = item->input;
    bool is_ours = record && manifest_is_same(input->output, &record->out);
    bool is_current = is_ours && strcmp(record->recipe, run->recipe) == 0;
    if (is_current && strcmp(record->input, input->inner) == 0 && manifest_is_same(input->path, &record->in)) {
        item->state = BATCH_FINISHED;
        item->reason = "finished by an earlier run";
        return;
    }
    if (run->local.may_replace)
        return;
    item->has_other_options = is_ours && !is_current;
    if (item->has_other_options)
        refuse(item, run, "the output was made with other options; --force makes it again");
    else if (is_ours)
        refuse(item, run, "the output was made of another input, or before this one changed; --force makes it again");
    else
        refuse(item, run, "the output " OUTPUT_EXISTS);
}

static double pixels_of(const batch_item *item) {
    return item->times * item->width_px * item->height_px;
}

/* What there is to compute, by the header of the input. */
static void measure(const batch_run *run, batch_item *item, const probe_info *info) {
    bool is_turned = info->orientation > 4;
    item->width_px = is_turned ? info->height_px : info->width_px;
    item->height_px = is_turned ? info->width_px : info->height_px;
    (void)format_target_part(&run->local.picture.target, item->width_px, item->height_px, &item->width_px,
                             &item->height_px);
    double pixels = (double)info->width_px * info->height_px;
    if (run->local.picture.is_animation && (double)info->frame_pixels > pixels)
        item->times = (double)info->frame_pixels / pixels;
}

static void decide(const batch_run *run, batch_item *item) {
    const found_input *input = item->input;
    probe_info info;
    if (input->problem) {
        item->state = BATCH_REFUSED;
        item->reason = input->problem;
        item->code = input->problem_code;
        return;
    }
    item->below = input->output + strlen(run->local.names.output);
    item->below += strspn(item->below, "/");
    if (output_exists(input->output))
        decide_existing(run, item, manifest_find(&run->manifest, item->below));
    if (item->state == BATCH_TODO && pace_probe(input->path, &info))
        measure(run, item, &info);
}

/* Whether both folders are the same one, so that outputs of earlier runs are found as inputs. */
static bool is_in_place(const batch_run *run) {
    struct stat in, out;
    return stat(run->folder, &in) == 0 && stat(run->local.names.output, &out) == 0 && in.st_dev == out.st_dev &&
           in.st_ino == out.st_ino;
}

bool batch_decide(batch_run *run) {
    input_list *inputs = &run->local.names.inputs;
    bool has_outputs = is_in_place(run);
    run->items = calloc(inputs->count + 1, sizeof(*run->items));
    if (!run->items) {
        report_no_memory();
        return false;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        if (has_outputs && manifest_find(&run->manifest, inputs->list[i].inner))
            continue;
        batch_item *item = &run->items[run->count++];
        item->input = &inputs->list[i];
        item->times = 1;
        decide(run, item);
        if (item->state == BATCH_TODO)
            run->todo_px += pixels_of(item) + 1;
    }
    return true;
}

void batch_sweep(const batch_run *run) {
    size_t before = 0;
    const char *last = "";
    for (size_t i = 0; i < run->count; i++) {
        const char *output = run->items[i].input->output;
        if (run->items[i].state != BATCH_TODO)
            continue;
        size_t length = (size_t)(strrchr(output, '/') - output);
        if (length == before && strncmp(output, last, length) == 0)
            continue;
        char *folder = strndup(output, length);
        if (folder)
            output_sweep(folder);
        free(folder);
        last = output;
        before = length;
    }
}

size_t batch_count(const batch_run *run, batch_state state) {
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++)
        count += run->items[i].state == state;
    return count;
}
