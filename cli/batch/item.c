/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/item.c - one image of a batch: read, enlarge here or by a service, record, give it its name, report. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/sha256.h"
#include "command/interrupt.h"
#include "command/report.h"
#include "format/note.h"
#include "run.h"

#define MAX_LOSSES 3

typedef struct item_result {
    upscale_result local;
    remote_result remote;
    uint64_t out_bytes;
    bool is_disk_full;
    swin2sr_status status;
    swin2sr_error error;
    double seconds;
} item_result;

/* Write the record, then give the output its name: an output without a record is never there. */
static swin2sr_status finish(batch_run *run, const batch_item *item, const input_file *input, output_file *output,
                             item_result *result) {
    manifest_record record = {.output = (char *)item->below, .input = (char *)item->input->inner};
    swin2sr_status status = output_flush(output, &result->error);
    if (status == SWIN2SR_OK)
        status = manifest_measure(output->whole.fd, &record.out, &result->error);
    if (status != SWIN2SR_OK)
        return status;
    result->out_bytes = record.out.bytes;
    record.in.bytes = input->size;
    record.in.modified_ns = (int64_t)input->modified.tv_sec * 1000000000 + input->modified.tv_nsec;
    swin2sr__sha256_hex(input->bytes, input->size, record.in.sha256);
    memcpy(record.recipe, run->recipe, sizeof(record.recipe));
    if (!run->manifest.has_recipe)
        status = manifest_add_recipe(&run->manifest, run->recipe, run->recipe_json, &result->error);
    run->manifest.has_recipe |= status == SWIN2SR_OK;
    if (status == SWIN2SR_OK)
        status = manifest_add(&run->manifest, &record, &result->error);
    if (status != SWIN2SR_OK) {
        run->stopped = "the manifest cannot be written";
        return status;
    }
    return output_commit(output, &result->error);
}

static swin2sr_status enlarge_here(batch_run *run, const input_file *input, output_file *output, item_result *result) {
    swin2sr_status status = upscale_into(&run->local, input, output, NULL, &run->progress, &result->local);
    result->error = result->local.error;
    return status;
}

/* ret_item stays open, because the service keeps the job until the output has its name. */
static swin2sr_status enlarge_there(batch_run *run, const input_file *input, output_file *output, remote_item *ret_item,
                                    item_result *result) {
    run->remote.link.progress = run->progress;
    swin2sr_status status = remote_begin(&run->remote, input, &result->remote, ret_item, &result->remote.error);
    if (status == SWIN2SR_OK)
        status = remote_into(&run->remote, ret_item, input, output, &result->remote);
    run->progress = run->remote.link.progress;
    result->error = result->remote.error;
    return status;
}

static swin2sr_status make(batch_run *run, const batch_item *item, const input_file *input, output_file *output,
                           item_result *result) {
    remote_item far;
    swin2sr_status status =
        run->is_remote ? enlarge_there(run, input, output, &far, result) : enlarge_here(run, input, output, result);
    bool was_made = status == SWIN2SR_OK;
    if (output->error) /* a failed write is the reason of the others */
        status = output_flush(output, &result->error);
    if (status == SWIN2SR_OK)
        status = finish(run, item, input, output, result);
    result->is_disk_full = output->error == ENOSPC || output->error == EDQUOT;
    if (run->is_remote)
        remote_end(&run->remote, &far, was_made && status != SWIN2SR_OK ? SWIN2SR_IO : status);
    run->losses = run->is_remote && !was_made && status == SWIN2SR_IO && !output->error ? run->losses + 1 : 0;
    return status;
}

static swin2sr_status enlarge_item(batch_run *run, const batch_item *item, item_result *result) {
    output_file output;
    input_file input;
    swin2sr_status status = output_make_parents(item->input->output, &result->error);
    if (status == SWIN2SR_OK)
        status = output_open(item->input->output, run->local.may_replace, &output, &result->error);
    if (status != SWIN2SR_OK)
        return status;
    status = input_read(item->input->path, &input, &result->error);
    if (status == SWIN2SR_OK) {
        status = make(run, item, &input, &output, result);
        result->local.time_error = output.time_error;
        input_done(&input);
    }
    output_done(&output);
    return status;
}

/* ---- report ---- */

static void report_result(batch_run *run, const batch_item *item, const item_result *result) {
    progress_clear(&run->progress);
    if (result->status != SWIN2SR_OK) {
        report_error(item->input->path, "%s", result->error.text);
    } else if (!run->local.options.is_quiet && item->state == BATCH_TODO) {
        if (run->is_remote)
            remote_report_notes(&result->remote);
        else
            upscale_report_notes(&result->local);
    }
}

static json_t *number(int32_t value) {
    return value > 0 ? json_integer(value) : json_null();
}

static json_t *result_json(const batch_run *run, const batch_item *item, const item_result *result) {
    bool is_ok = result->status == SWIN2SR_OK, is_made = is_ok && item->state == BATCH_TODO;
    int32_t width = run->is_remote ? result->remote.width_px : result->local.report.out_width_px;
    int32_t height = run->is_remote ? result->remote.height_px : result->local.report.out_height_px;
    const char *damage = is_made && !run->is_remote ? result->local.report.damage : NULL;
    uint32_t notes = run->is_remote ? note_parse(result->remote.notes) : result->local.report.notes;
    choice_reason choice = run->is_remote ? result->remote.choice : result->local.report.choice;
    const char *model = run->is_remote && result->remote.model[0] ? result->remote.model
                        : !run->is_remote && choice               ? upscale_network(&run->local, choice)
                                                                  : run->network;
    if (is_made && run->is_remote && (notes & NOTE_DAMAGED))
        damage = "the file is damaged";
    json_t *json = json_pack(
        "{so so so so sf so ss? ss? so ss? so}", "input", report_json_text(item->input->path), "output",
        is_ok ? report_json_text(item->input->output) : json_null(), "width", number(is_made ? width : 0), "height",
        number(is_made ? height : 0), "seconds", result->seconds, "model", report_json_text(model), "choice",
        choice_get(choice)->token, "damage", damage, "notes", report_json_notes(is_made ? notes : 0), "skipped",
        is_ok && !is_made ? item->reason : NULL, "error", is_ok ? json_null() : report_json_text(result->error.text));
    return upscale_frames_json(json, &result->local.frames);
}

static int exit_code(batch_run *run, const batch_item *item, item_result *result) {
    if (result->status == SWIN2SR_OK)
        return CLI_EXIT_OK;
    if (item->state == BATCH_REFUSED)
        return item->code;
    if (interrupt_signal()) {
        swin2sr__error_set(&result->error, result->status, "interrupted");
        return interrupt_exit_code(CLI_EXIT_OK);
    }
    if (!result->error.text[0])
        swin2sr__error_set(&result->error, result->status, "%s", swin2sr_status_name(result->status));
    if (result->is_disk_full)
        run->stopped = "the disk is full";
    if (run->losses >= MAX_LOSSES)
        run->stopped = "the service has failed three times in a row";
    return report_exit_code(result->status);
}

int batch_item_run(batch_run *run, const batch_item *item) {
    const found_input *input = item->input;
    item_result result = {.local = {.input = input->path, .output = input->output},
                          .remote = {.input = input->path, .output = input->output}};
    double px = item->state == BATCH_TODO ? item->times * item->width_px * item->height_px + 1 : 0;
    uint64_t start_us = swin2sr__clock_us();
    if (item->state == BATCH_REFUSED)
        result.status = swin2sr__error_set(&result.error, SWIN2SR_IO, "%s", item->reason);
    if (item->state == BATCH_TODO) {
        progress_share(&run->progress, run->made + run->failed + 1, run->done_px / run->todo_px, px / run->todo_px);
        result.status = enlarge_item(run, item, &result);
        run->made += result.status == SWIN2SR_OK;
        run->out_bytes += (double)result.out_bytes;
    }
    result.seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    run->done_px += px;
    int code = exit_code(run, item, &result);
    run->failed += code != CLI_EXIT_OK && code < CLI_EXIT_SIGNAL;
    report_result(run, item, &result);
    bool is_ok = !run->local.options.is_json_lines || report_item(NULL, result_json(run, item, &result));
    return is_ok ? code : report_no_memory();
}
