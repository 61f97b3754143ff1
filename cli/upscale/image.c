/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/image.c - one image of swin2sr upscale: read, enlarge, write, report. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "command/input.h"
#include "command/interrupt.h"
#include "command/network.h"
#include "command/output.h"
#include "command/progress.h"
#include "command/report.h"
#include "probe/probe.h"
#include "run.h"

static bool on_progress(void *context, double done) {
    progress_update(context, done);
    return interrupt_signal() == 0;
}

static double pixels_of(const input_file *input) {
    probe_info info;
    if (probe_bytes(input->bytes, input->size, &info, NULL) != SWIN2SR_OK)
        return 0;
    return (double)info.width_px * info.height_px;
}

static int32_t frames_of(const input_file *input) {
    probe_info info;
    return probe_bytes(input->bytes, input->size, &info, NULL) == SWIN2SR_OK ? info.frames : 1;
}

/* If a write failed, report it instead of the status that it caused. */
static swin2sr_status commit(output_file *output, swin2sr_status status, swin2sr_error *reterr) {
    return status == SWIN2SR_OK || output->error ? output_commit(output, reterr) : status;
}

swin2sr_status upscale_into(const upscale_run *run, const input_file *input, output_file *output, output_file *aux,
                            progress_line *progress, upscale_result *result) {
    enlarge_options options = run->enlarge;
    options.on_progress = on_progress;
    options.progress_context = progress;
    options.aux_sink = run->aux ? output_sink : NULL;
    options.aux_context = aux;
    if (run->picture.keeps_times)
        output->modified = input->modified;
    if (run->picture.keeps_times && aux)
        aux->modified = input->modified;
    if (run->picture.is_animation && frames_of(input) > 1)
        return animation_enlarge(run->model, input->bytes, input->size, &options, NULL, output_sink, output,
                                 &result->report, &result->frames, &result->error);
    return enlarge_bytes(run->model, input->bytes, input->size, &options, output_sink, output, &result->report,
                         &result->error);
}

static swin2sr_status enlarge_to(upscale_run *run, const input_file *input, output_file *output, output_file *aux,
                                 upscale_result *result) {
    progress_line progress;
    progress_init(&progress, !run->options.is_quiet, run->names.index, run->names.inputs.count, pixels_of(input));
    swin2sr_status status = upscale_into(run, input, output, aux, &progress, result);
    progress_done(&progress);
    if (run->aux)
        status = commit(aux, status, &result->error);
    status = commit(output, status, &result->error);
    result->time_error = output->time_error ? output->time_error : aux->time_error;
    return status;
}

static swin2sr_status open_outputs(const upscale_run *run, upscale_result *result, output_file *output,
                                   output_file *aux) {
    swin2sr_status status = output_open(result->output, run->may_replace, output, &result->error);
    if (status == SWIN2SR_OK && run->aux)
        status = output_open(run->aux, run->may_replace, aux, &result->error);
    return status;
}

/* With --device auto, the CPU does an image that the GPU has not finished, and those after it.
 * returns  false: the result stays as it is. */
static bool cpu_takes_over(upscale_run *run, upscale_result *result, bool is_in_place) {
    const char *device = run->options.load.device;
    bool is_auto = device && strcmp(device, "auto") == 0 && swin2sr_model_get_info(run->model)->device[0];
    bool is_lost = swin2sr_model_is_lost(run->model) || (run->undamaged && swin2sr_model_is_lost(run->undamaged));
    cli_options options = run->options;
    swin2sr_model *model = NULL, *undamaged = NULL;
    if (!is_auto || is_in_place || interrupt_signal() || !(is_lost || result->status == SWIN2SR_NOMEM))
        return false;
    options.load.device = "cpu";
    options.is_quiet = true; /* what there is to note was noted when the networks were opened for the GPU */
    if (network_open_chosen(&options, run->task, &model, &undamaged) != CLI_EXIT_OK)
        return false;
    if (!run->options.is_quiet)
        report_note(result->input, "%s; the CPU takes over", result->error.text);
    swin2sr_model_unref(run->model);
    swin2sr_model_unref(run->undamaged);
    run->options.load.device = "cpu";
    run->model = model;
    run->undamaged = run->enlarge.undamaged_model = undamaged;
    result->report = (enlarge_report){0};
    result->frames = (animation_report){0};
    return true;
}

static swin2sr_status upscale_file(upscale_run *run, upscale_result *result) {
    output_file output = OUTPUT_NONE, aux = OUTPUT_NONE;
    input_file input;
    result->status = SWIN2SR_OK;
    if (run->names.is_recursive && run->names.is_folder)
        result->status = output_make_parents(result->output, &result->error);
    if (result->status == SWIN2SR_OK)
        result->status = open_outputs(run, result, &output, &aux);
    if (result->status == SWIN2SR_OK)
        result->status = input_read(result->input, &input, &result->error);
    if (result->status == SWIN2SR_OK) {
        result->status = enlarge_to(run, &input, &output, &aux, result);
        if (result->status != SWIN2SR_OK && cpu_takes_over(run, result, !output.whole.temporary)) {
            output_done(&aux);
            output_done(&output);
            result->status = open_outputs(run, result, &output, &aux);
            if (result->status == SWIN2SR_OK)
                result->status = enlarge_to(run, &input, &output, &aux, result);
        }
        input_done(&input);
    }
    output_done(&aux);
    output_done(&output);
    return result->status;
}

const char *upscale_network(const upscale_run *run, choice_reason choice) {
    const swin2sr_model *model = choice == CHOICE_UNDAMAGED ? run->undamaged : run->model;
    return model ? swin2sr_model_get_info(model)->name : "";
}

void upscale_report_notes(const upscale_result *result) {
    report_notes(result->input, result->report.notes);
    if (result->report.damage)
        report_note(result->input, "%s; all of its rows could be read", result->report.damage);
    if (result->report.plan.threads_note[0])
        report_note(result->input, "%s", result->report.plan.threads_note);
    if (result->time_error)
        report_note(result->output, "the modification time could not be set: %s", strerror(result->time_error));
}

static void report_result(const upscale_run *run, const upscale_result *result) {
    if (result->status != SWIN2SR_OK) {
        report_error(result->input, "%s", result->error.text);
        return;
    }
    if (run->options.is_quiet || result->skipped)
        return;
    upscale_report_notes(result);
    if (progress_is_terminal() && result->report.choice)
        report_note(result->input, "by %s: %s", upscale_network(run, result->report.choice),
                    choice_get(result->report.choice)->sentence);
    if (progress_is_terminal() && result->frames.frames)
        report_note(result->output, "%dx%d, %d frames (%d without new work) in %.2f s", result->report.out_width_px,
                    result->report.out_height_px, result->frames.frames, result->frames.frames_reused, result->seconds);
    else if (progress_is_terminal())
        report_note(result->output, "%dx%d in %.2f s", result->report.out_width_px, result->report.out_height_px,
                    result->seconds);
}

json_t *upscale_frames_json(json_t *json, const animation_report *frames) {
    if (!json || frames->frames == 0)
        return json;
    json_t *added =
        json_pack("{si si sI sI}", "frames", (int)frames->frames, "frames_reused", (int)frames->frames_reused, "pixels",
                  (long long)frames->all_pixels, "enlarged_pixels", (long long)frames->enlarged_pixels);
    if (json_object_set_new(json, "animation", added) == 0)
        return json;
    json_decref(json);
    return NULL;
}

static json_t *result_json(const upscale_run *run, const upscale_result *result) {
    bool is_ok = result->status == SWIN2SR_OK, is_made = is_ok && !result->skipped;
    const char *damage = is_made ? result->report.damage : NULL;
    const char *model = upscale_network(run, result->report.choice);
    json_t *json = json_pack("{so so so so sf so ss? ss? so ss? so}", "input", report_json_text(result->input),
                             "output", is_ok ? report_json_text(result->output) : json_null(), "width",
                             is_made ? json_integer(result->report.out_width_px) : json_null(), "height",
                             is_made ? json_integer(result->report.out_height_px) : json_null(), "seconds",
                             result->seconds, "model", model[0] ? report_json_text(model) : json_null(), "choice",
                             choice_get(result->report.choice)->token, "damage", damage, "notes",
                             report_json_notes(is_made ? result->report.notes : 0), "skipped", result->skipped, "error",
                             is_ok ? json_null() : report_json_text(result->error.text));
    return is_made ? upscale_frames_json(json, &result->frames) : json;
}

static int keep_result(upscale_run *run, upscale_result *result) {
    int code = result->problem_code ? result->problem_code : report_exit_code(result->status);
    if (result->status != SWIN2SR_OK && interrupt_signal()) {
        swin2sr__error_set(&result->error, result->status, "interrupted");
        code = interrupt_exit_code(code);
    } else if (result->status != SWIN2SR_OK && !result->error.text[0]) {
        swin2sr__error_set(&result->error, result->status, "%s", swin2sr_status_name(result->status));
    }
    report_result(run, result);
    bool is_ok = !options_has_json(&run->options) || report_item(run->results, result_json(run, result));
    return is_ok ? code : report_no_memory();
}

int upscale_image(upscale_run *run, const found_input *input) {
    upscale_result result = {.input = input->path, .output = input->output, .problem_code = input->problem_code};
    uint64_t start_us = swin2sr__clock_us();
    if (input->problem)
        result.status = swin2sr__error_set(&result.error, SWIN2SR_IO, "%s", input->problem);
    else if (run->skips_existing && output_exists(input->output))
        result.skipped = OUTPUT_SKIPPED;
    else
        result.status = upscale_file(run, &result);
    run->skipped += result.skipped != NULL;
    result.seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    return keep_result(run, &result);
}
