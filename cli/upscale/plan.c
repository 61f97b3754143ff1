/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/plan.c - swin2sr upscale --plan: print how an image would be cut, and its memory and work. */
#include <stdio.h>

#include "base/error.h"
#include "command/input.h"
#include "command/report.h"
#include "enlarge/choose.h"
#include "pace.h"
#include "run.h"

static const char *plan_name(const swin2sr_plan *plan, const swin2sr_options *engine) {
    return plan->columns * plan->bands == 1 ? "whole" : engine->tile_px ? "tiles" : "strips";
}

typedef struct plan_result {
    int32_t width_px, height_px; /* of the part of the input, upright */
    int32_t out_width_px, out_height_px;
    size_t reader_bytes; /* that the decoder holds, without the engine */
    choice_reason choice;
    swin2sr_plan plan;
} plan_result;

static swin2sr_status find_plan(const upscale_run *run, const char *path, plan_result *ret_result,
                                swin2sr_error *reterr) {
    input_file input;
    image_reader *reader = NULL;
    swin2sr_status status = input_read(path, &input, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = image_reader_open(input.bytes, input.size, &run->enlarge.limits, &reader, reterr);
    if (status == SWIN2SR_OK) {
        const image_info *info = image_reader_info(reader);
        crop part = {0};
        choice_reason choice = CHOICE_NONE;
        status = crop_open(&part, reader, &run->enlarge.target, reterr);
        if (status == SWIN2SR_OK && run->undamaged)
            status = choose(&part, input.bytes, input.size, &choice, reterr);
        *ret_result = (plan_result){.width_px = part.info.width_px,
                                    .height_px = part.info.height_px,
                                    .reader_bytes = info->memory_bytes,
                                    .choice = choice};
        format_target_size(&run->enlarge.target, part.info.width_px, part.info.height_px,
                           swin2sr_model_get_info(run->model)->scale, &ret_result->out_width_px,
                           &ret_result->out_height_px);
        if (status == SWIN2SR_OK)
            status = pace_plan(run, part.info.width_px, part.info.height_px, &ret_result->plan, reterr);
        crop_done(&part);
        image_reader_close(reader);
    }
    input_done(&input);
    return status;
}

static json_t *failure_json(const char *path, const char *text) {
    return json_pack("{so so}", "input", report_json_text(path), "error", report_json_text(text));
}

static double seconds_of(const upscale_run *run, const plan_result *found) {
    upscale_work work = {0};
    pace_add(run, found->width_px, found->height_px, &work);
    return pace_seconds(run->pace, &work);
}

static json_t *plan_json(const upscale_run *run, const char *path, const plan_result *found) {
    const swin2sr_plan *plan = &found->plan;
    const swin2sr_model_info *info = swin2sr_model_get_info(run->model);
    return json_pack("{so so ss? si si si si ss si si si sI sI si sf sf so so}", "input", report_json_text(path),
                     "model", report_json_text(upscale_network(run, found->choice)), "choice",
                     choice_get(found->choice)->token, "width", found->out_width_px, "height", found->out_height_px,
                     "input_width", found->width_px, "input_height", found->height_px, "plan",
                     plan_name(plan, &run->options.engine), "columns", plan->columns, "bands", plan->bands, "rows",
                     plan->rows, "memory_bytes", (json_int_t)plan->memory_bytes, "decoder_bytes",
                     (json_int_t)found->reader_bytes, "latency_rows", plan->latency_rows, "gmac", plan->gmac, "seconds",
                     seconds_of(run, found), "device", info->device[0] ? report_json_text(info->device) : json_null(),
                     "driver", info->device[0] ? report_json_text(info->device_driver) : json_null());
}

static void print_plan(const upscale_run *run, const char *path, const plan_result *found) {
    const swin2sr_plan *plan = &found->plan;
    char cut[48] = "", time[32];
    const char *device = swin2sr_model_get_info(run->model)->device;
    if (plan->columns * plan->bands > 1)
        snprintf(cut, sizeof(cut), " (%d x %d)", plan->columns, plan->bands);
    pace_text(seconds_of(run, found), time);
    report_line("%s: %dx%d, %s%s, %d rows of windows per step, %.1f MiB, %.0f GMAC, about %s%s%s%s%s%s%s", path,
                found->width_px, found->height_px, plan_name(plan, &run->options.engine), cut, plan->rows,
                (double)(plan->memory_bytes + found->reader_bytes) / 1048576.0, plan->gmac, time,
                device[0] ? ", on " : "", device, found->choice ? ", by " : "",
                found->choice ? upscale_network(run, found->choice) : "", found->choice ? ": " : "",
                found->choice ? choice_get(found->choice)->sentence : "");
}

int upscale_plan(upscale_run *run, const found_input *input) {
    plan_result found = {0};
    swin2sr_error error = {0};
    int code = input->problem_code;
    if (input->problem) {
        swin2sr__error_set(&error, SWIN2SR_IO, "%s", input->problem);
        report_error(input->path, "%s", error.text);
    } else {
        code = report_failure(input->path, find_plan(run, input->path, &found, &error), &error);
    }
    if (options_has_json(&run->options))
        return report_item(run->results, code == CLI_EXIT_OK ? plan_json(run, input->path, &found)
                                                             : failure_json(input->path, error.text))
                   ? code
                   : report_no_memory();
    if (code == CLI_EXIT_OK)
        print_plan(run, input->path, &found);
    return code;
}
