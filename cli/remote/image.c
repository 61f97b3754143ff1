/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/image.c - one image of swin2sr remote upscale: read, have it enlarged, write, report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/sha256.h"
#include "command/input.h"
#include "command/interrupt.h"
#include "command/output.h"
#include "command/report.h"
#include "format/compression.h"
#include "format/metadata.h"
#include "format/note.h"
#include "probe/probe.h"
#include "run.h"

#define ANY_SIDE_PX 32768 /* of a result whose input cannot be looked at here */

/* ---- what is asked for ---- */

static bool make_query(const remote_run *run, char *ret_query, size_t size) {
    const picture_options *picture = &run->picture;
    const format_info *format = format_get(run->names.format);
    char quality[12];
    snprintf(quality, sizeof(quality), "%d", (int)(picture->quality ? picture->quality : PICTURE_QUALITY));
    ret_query[0] = '\0';
    for (size_t i = 0; picture_text_name(i); i++)
        if (picture_text(picture, i) &&
            !address_add_query(ret_query, size, picture_text_name(i), picture_text(picture, i)))
            return false;
    const struct {
        bool is_given;
        const char *name, *value;
    } rows[] = {{true, "model", run->network.name},
                {true, "format", format->name},
                {format->has_quality, "quality", quality},
                {picture->colour, "colour", format_colour_name((size_t)picture->colour)},
                {picture->metadata, "metadata", format_metadata_name((size_t)picture->metadata)},
                {picture->has_provenance, "provenance", "true"},
                {picture->compression != FORMAT_COMPRESSION_DEFAULT, "compression",
                 format_compression_name((size_t)picture->compression)},
                {picture->is_strict, "strict", "true"},
                {picture->is_animation, "batch_mode", "true"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].is_given && !address_add_query(ret_query, size, rows[i].name, rows[i].value))
            return false;
    return true;
}

/* The Idempotency-Key stands for the bytes, the options and the output; the ticket for these on one service with one
 * API key. */
static void make_names(const remote_run *run, const input_file *input, const char *output, const char *query,
                       char ret_key[REMOTE_HEX_BYTES], char ret_ticket[REMOTE_HEX_BYTES]) {
    char hash[REMOTE_HEX_BYTES];
    const char *slash = strrchr(output, '/'), *base = slash ? slash + 1 : output;
    const char *key_texts[] = {hash, query, base}, *ticket_texts[] = {ret_key, run->link.address.base, run->key};
    swin2sr__sha256_hex(input->bytes, input->size, hash);
    char text[REMOTE_HEX_BYTES + 1024 + 512];
    snprintf(text, sizeof(text), "%s %s %.256s", key_texts[0], key_texts[1], key_texts[2]);
    swin2sr__sha256_hex(text, strlen(text), ret_key);
    char all[REMOTE_HEX_BYTES + ADDRESS_BYTES + KEY_BYTES + 2];
    snprintf(all, sizeof(all), "%s %s %s", ticket_texts[0], ticket_texts[1], ticket_texts[2]);
    swin2sr__sha256_hex(all, strlen(all), ret_ticket);
}

static uint64_t max_bytes_of(const remote_run *run, const input_file *input) {
    probe_info info;
    if (probe_bytes(input->bytes, input->size, &info, NULL) != SWIN2SR_OK)
        return result_max_bytes(ANY_SIDE_PX, ANY_SIDE_PX);
    bool is_turned = info.orientation > 4;
    int32_t width_px = is_turned ? info.height_px : info.width_px,
            height_px = is_turned ? info.width_px : info.height_px;
    if (format_target_part(&run->picture.target, width_px, height_px, &width_px, &height_px))
        format_target_size(&run->picture.target, width_px, height_px, run->network.scale ? run->network.scale : 16,
                           &width_px, &height_px);
    uint64_t frames = run->picture.is_animation ? (uint64_t)info.frames : 1;
    return frames * result_max_bytes((uint64_t)width_px, (uint64_t)height_px);
}

/* ---- one image ---- */

/* Whether the service is of no more use for this image: it has refused it, or what was made of it is written. */
static bool is_settled(const remote_run *run, swin2sr_status status) {
    return !run->keeps_jobs && (status == SWIN2SR_OK || status == SWIN2SR_INVALID);
}

swin2sr_status remote_begin(remote_run *run, const input_file *input, const remote_result *result,
                            remote_item *ret_item, swin2sr_error *reterr) {
    char name[REMOTE_HEX_BYTES];
    *ret_item = (remote_item){.note.fd = -1};
    if (!make_query(run, ret_item->query, sizeof(ret_item->query)))
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "the options are too long");
    make_names(run, input, result->output, ret_item->query, ret_item->key, name);
    ret_item->order = (work_order){.link = &run->link,
                                   .input = result->input,
                                   .data = input->bytes,
                                   .size = input->size,
                                   .query = ret_item->query,
                                   .key = ret_item->key,
                                   .is_canceled_by_signals = run->is_canceled_by_signals,
                                   .is_quiet = run->options.is_quiet,
                                   .note = &ret_item->note};
    return run->has_jobs ? ticket_open(name, run->options.is_quiet, &ret_item->note, reterr) : SWIN2SR_OK;
}

swin2sr_status remote_into(remote_run *run, remote_item *item, const input_file *input, output_file *output,
                           remote_result *result) {
    result_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return swin2sr__error_set(&result->error, SWIN2SR_NOMEM, "out of memory");
    writer->output = output;
    writer->format = run->names.format;
    writer->max_bytes = max_bytes_of(run, input);
    if (run->picture.keeps_times)
        output->modified = input->modified;
    swin2sr_status status = run->has_jobs ? work_by_job(&item->order, writer, &result->error)
                                          : work_at_once(&item->order, writer, &result->error);
    if (status == SWIN2SR_OK)
        status = result_check(writer, run->link.address.host, &result->error);
    result->width_px = writer->width_px;
    result->height_px = writer->height_px;
    snprintf(result->notes, sizeof(result->notes), "%s", item->order.notes);
    memcpy(result->model, item->order.model, sizeof(result->model));
    result->choice = item->order.choice;
    free(writer);
    return status;
}

void remote_end(const remote_run *run, remote_item *item, swin2sr_status status) {
    if (run->has_jobs && is_settled(run, status))
        work_remove(&item->order);
    ticket_close(&item->note);
}

/* The ticket is opened before the output, which another run may have written while this one waited. */
static swin2sr_status enlarge(remote_run *run, const input_file *input, remote_result *result) {
    output_file output = OUTPUT_NONE;
    remote_item item;
    swin2sr_status status = remote_begin(run, input, result, &item, &result->error);
    if (status == SWIN2SR_OK && run->names.is_recursive && run->names.is_folder)
        status = output_make_parents(result->output, &result->error);
    if (status == SWIN2SR_OK)
        status = output_open(result->output, run->may_replace, &output, &result->error);
    bool is_open = status == SWIN2SR_OK;
    if (is_open) {
        progress_init(&run->link.progress, !run->options.is_quiet, run->names.index, run->names.inputs.count, 0);
        status = remote_into(run, &item, input, &output, result);
        progress_done(&run->link.progress);
    }
    if (status == SWIN2SR_OK)
        status = output_commit(&output, &result->error);
    output_done(&output);
    remote_end(run, &item, is_open ? status : SWIN2SR_IO);
    return status;
}

/* ---- result ---- */

void remote_report_notes(const remote_result *result) {
    uint32_t notes = note_parse(result->notes);
    report_notes(result->input, notes);
    if (notes & NOTE_DAMAGED)
        report_note(result->input, "the file is damaged; all of its rows could be read");
}

static void report_result(const remote_run *run, const remote_result *result) {
    if (result->status != SWIN2SR_OK) {
        report_error(result->input, "%s", result->error.text);
    } else if (!run->options.is_quiet && !result->skipped) {
        remote_report_notes(result);
        if (progress_is_terminal() && result->choice)
            report_note(result->input, "by %s: %s", result->model, choice_get(result->choice)->sentence);
        if (progress_is_terminal())
            report_note(result->output, "%dx%d in %.2f s", result->width_px, result->height_px, result->seconds);
    }
}

static json_t *side_json(int32_t side_px) {
    return side_px > 0 ? json_integer(side_px) : json_null();
}

static json_t *result_json(const remote_run *run, const remote_result *result) {
    bool is_ok = result->status == SWIN2SR_OK, is_made = is_ok && !result->skipped;
    bool is_damaged = is_made && (note_parse(result->notes) & NOTE_DAMAGED);
    return json_pack("{so so so so sf ss ss? ss? so ss? so}", "input", report_json_text(result->input), "output",
                     is_ok ? report_json_text(result->output) : json_null(), "width",
                     side_json(is_made ? result->width_px : 0), "height", side_json(is_made ? result->height_px : 0),
                     "seconds", result->seconds, "model", result->model[0] ? result->model : run->network.name,
                     "choice", choice_get(result->choice)->token, "damage", is_damaged ? "the file is damaged" : NULL,
                     "notes", report_json_notes(is_made ? note_parse(result->notes) : 0), "skipped", result->skipped,
                     "error", is_ok ? json_null() : report_json_text(result->error.text));
}

static int keep_result(remote_run *run, remote_result *result) {
    int code = result->problem_code ? result->problem_code : report_exit_code(result->status);
    if (result->status == SWIN2SR_CANCELLED)
        code = interrupt_exit_code(code);
    else if (result->status != SWIN2SR_OK && !result->error.text[0])
        swin2sr__error_set(&result->error, result->status, "%s", swin2sr_status_name(result->status));
    report_result(run, result);
    bool is_ok = !options_has_json(&run->options) || report_item(run->results, result_json(run, result));
    return is_ok ? code : report_no_memory();
}

int remote_image(remote_run *run, const found_input *input) {
    remote_result result = {.input = input->path, .output = input->output, .problem_code = input->problem_code};
    input_file bytes = {0};
    uint64_t start_us = swin2sr__clock_us();
    if (input->problem)
        result.status = swin2sr__error_set(&result.error, SWIN2SR_IO, "%s", input->problem);
    else if (run->skips_existing && output_exists(input->output))
        result.skipped = OUTPUT_SKIPPED;
    else
        result.status = input_read(input->path, &bytes, &result.error);
    if (result.status == SWIN2SR_OK && !result.skipped)
        result.status = enlarge(run, &bytes, &result);
    run->skipped += result.skipped != NULL;
    input_done(&bytes);
    result.seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    return keep_result(run, &result);
}
