/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/plan.c - swin2sr upscale --plan: print how an image would be cut, and its memory and work. */
#include <stdio.h>

#include "command/input.h"
#include "command/report.h"
#include "run.h"

static const char *plan_name(const swin2sr_plan *plan, const swin2sr_options *engine) {
    return plan->columns * plan->bands == 1 ? "whole" : engine->tile_px ? "tiles" : "strips";
}

typedef struct plan_result {
    int32_t width_px, height_px; /* of the input, upright */
    size_t reader_bytes;         /* that the decoder holds, without the engine */
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
        swin2sr_options engine = run->options.engine;
        bool is_grey = swin2sr_model_get_info(run->model)->channels == 1;
        engine.input_pixel = engine.output_pixel = is_grey ? SWIN2SR_PIXEL_GREY8 : SWIN2SR_PIXEL_RGB8;
        *ret_result = (plan_result){info->width_px, info->height_px, info->memory_bytes, {0}};
        status = swin2sr_stream_plan(run->model, &engine, info->width_px, info->height_px, &ret_result->plan, reterr);
        image_reader_close(reader);
    }
    input_done(&input);
    return status;
}

static json_t *plan_json(const upscale_run *run, const char *path, const plan_result *found) {
    const swin2sr_plan *plan = &found->plan;
    int32_t scale = swin2sr_model_get_info(run->model)->scale;
    return json_pack("{so so si si si si ss si si si sI sI si sf}", "input", report_json_text(path), "model",
                     report_json_text(swin2sr_model_get_info(run->model)->name), "width", found->width_px * scale,
                     "height", found->height_px * scale, "input_width", found->width_px, "input_height",
                     found->height_px, "plan", plan_name(plan, &run->options.engine), "columns", plan->columns, "bands",
                     plan->bands, "rows", plan->rows, "memory_bytes", (json_int_t)plan->memory_bytes, "decoder_bytes",
                     (json_int_t)found->reader_bytes, "latency_rows", plan->latency_rows, "gmac", plan->gmac);
}

static void print_plan(const upscale_run *run, const char *path, const plan_result *found) {
    const swin2sr_plan *plan = &found->plan;
    char cut[48] = "";
    if (plan->columns * plan->bands > 1)
        snprintf(cut, sizeof(cut), " (%d x %d)", plan->columns, plan->bands);
    report_line("%s: %dx%d, %s%s, %d rows of windows per step, %.1f MiB, %.0f GMAC", path, found->width_px,
                found->height_px, plan_name(plan, &run->options.engine), cut, plan->rows,
                (double)(plan->memory_bytes + found->reader_bytes) / 1048576.0, plan->gmac);
}

int upscale_plan(upscale_run *run, const char *input) {
    plan_result found = {0};
    swin2sr_error error = {0};
    swin2sr_status status = find_plan(run, input, &found, &error);
    if (status != SWIN2SR_OK)
        return report_failure(input, status, &error);
    if (!run->options.is_json)
        print_plan(run, input, &found);
    else if (json_array_append_new(run->results, plan_json(run, input, &found)) != 0)
        return report_no_memory();
    return CLI_EXIT_OK;
}
