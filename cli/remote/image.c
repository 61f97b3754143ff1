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
#include "probe/probe.h"
#include "run.h"
#include "work.h"

#define HEX_BYTES 65
#define ANY_SIDE_PX 32768 /* of a result whose input cannot be looked at here */

typedef struct image_result {
    const char *input;
    const char *output;
    char notes[ANSWER_FIELD_BYTES];
    int32_t width_px, height_px;
    double seconds;
    swin2sr_status status;
    swin2sr_error error;
} image_result;

/* ---- what is asked for ---- */

static bool make_query(const remote_run *run, char *ret_query, size_t size) {
    char quality[8];
    snprintf(quality, sizeof(quality), "%d", run->quality);
    ret_query[0] = '\0';
    return address_add_query(ret_query, size, "model", run->network.name) &&
           address_add_query(ret_query, size, "format", format_get(run->names.format)->name) &&
           (!format_get(run->names.format)->has_quality || address_add_query(ret_query, size, "quality", quality)) &&
           (!run->is_strict || address_add_query(ret_query, size, "strict", "true"));
}

/* The Idempotency-Key stands for the bytes, the options and the output; the ticket for these on one service with one
 * API key. */
static void make_names(const remote_run *run, const input_file *input, const char *output, const char *query,
                       char ret_key[HEX_BYTES], char ret_ticket[HEX_BYTES]) {
    char hash[HEX_BYTES];
    const char *slash = strrchr(output, '/'), *base = slash ? slash + 1 : output;
    const char *key_texts[] = {hash, query, base}, *ticket_texts[] = {ret_key, run->link.address.base, run->key};
    swin2sr__sha256_hex(input->bytes, input->size, hash);
    char text[HEX_BYTES + 1024 + 512];
    snprintf(text, sizeof(text), "%s %s %.256s", key_texts[0], key_texts[1], key_texts[2]);
    swin2sr__sha256_hex(text, strlen(text), ret_key);
    char all[HEX_BYTES + ADDRESS_BYTES + KEY_BYTES + 2];
    snprintf(all, sizeof(all), "%s %s %s", ticket_texts[0], ticket_texts[1], ticket_texts[2]);
    swin2sr__sha256_hex(all, strlen(all), ret_ticket);
}

static uint64_t max_bytes_of(const remote_run *run, const input_file *input) {
    probe_info info;
    if (probe_bytes(input->bytes, input->size, &info, NULL) != SWIN2SR_OK)
        return result_max_bytes(ANY_SIDE_PX, ANY_SIDE_PX);
    uint64_t scale = (uint64_t)(run->network.scale ? run->network.scale : 16);
    return result_max_bytes((uint64_t)info.width_px * scale, (uint64_t)info.height_px * scale);
}

/* ---- one image ---- */

/* Whether the service is of no more use for this image: it has refused it, or what was made of it is written. */
static bool is_settled(const remote_run *run, swin2sr_status status) {
    return !run->keeps_jobs && (status == SWIN2SR_OK || status == SWIN2SR_INVALID);
}

static swin2sr_status work_into(remote_run *run, work_order *order, output_file *output, image_result *result) {
    result_writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return swin2sr__error_set(&result->error, SWIN2SR_NOMEM, "out of memory");
    const input_file *input = &(input_file){.bytes = (unsigned char *)order->data, .size = order->size};
    writer->output = output;
    writer->format = run->names.format;
    writer->max_bytes = max_bytes_of(run, input);
    progress_init(&run->link.progress, !run->options.is_quiet, run->names.outputs.count, run->names.inputs.count, 0);
    swin2sr_status status =
        run->has_jobs ? work_by_job(order, writer, &result->error) : work_at_once(order, writer, &result->error);
    progress_done(&run->link.progress);
    if (status == SWIN2SR_OK)
        status = result_check(writer, run->link.address.host, &result->error);
    if (status == SWIN2SR_OK)
        status = output_commit(output, &result->error);
    result->width_px = writer->width_px;
    result->height_px = writer->height_px;
    free(writer);
    return status;
}

static swin2sr_status enlarge(remote_run *run, const input_file *input, image_result *result) {
    char query[1024], key[HEX_BYTES], name[HEX_BYTES];
    output_file output = OUTPUT_NONE;
    ticket note = {.fd = -1};
    work_order order = {.link = &run->link,
                        .input = result->input,
                        .data = input->bytes,
                        .size = input->size,
                        .query = query,
                        .key = key,
                        .is_canceled_by_signals = run->is_canceled_by_signals,
                        .is_quiet = run->options.is_quiet,
                        .note = &note};
    if (!make_query(run, query, sizeof(query)))
        return swin2sr__error_set(&result->error, SWIN2SR_INTERNAL, "the options are too long");
    make_names(run, input, result->output, query, key, name);
    swin2sr_status status = SWIN2SR_OK;
    if (run->has_jobs) /* before the output, which another run may have written while this one waited */
        status = ticket_open(name, run->options.is_quiet, &note, &result->error);
    if (status == SWIN2SR_OK)
        status = output_open(result->output, run->may_replace, &output, &result->error);
    if (status == SWIN2SR_OK) {
        if (run->keeps_times)
            output.modified = input->modified;
        status = work_into(run, &order, &output, result);
        snprintf(result->notes, sizeof(result->notes), "%s", order.notes);
        output_done(&output);
        if (run->has_jobs && is_settled(run, status))
            work_remove(&order);
    }
    ticket_close(&note);
    return status;
}

/* ---- result ---- */

static void report_notes(const image_result *result) {
    if (strstr(result->notes, "reduced-16-bit"))
        report_note(result->input, "16-bit samples were reduced to 8 bits");
    if (strstr(result->notes, "alpha-dropped"))
        report_note(result->input, "JPEG has no transparency: the picture was laid over white");
    if (strstr(result->notes, "damaged"))
        report_note(result->input, "the file is damaged; all of its rows could be read");
}

static void report_result(const remote_run *run, const image_result *result) {
    if (result->status != SWIN2SR_OK) {
        report_error(result->input, "%s", result->error.text);
    } else if (!run->options.is_quiet) {
        report_notes(result);
        if (progress_is_terminal())
            report_note(result->output, "%dx%d in %.2f s", result->width_px, result->height_px, result->seconds);
    }
}

static json_t *side_json(int32_t side_px) {
    return side_px > 0 ? json_integer(side_px) : json_null();
}

static json_t *result_json(const remote_run *run, const image_result *result) {
    bool is_ok = result->status == SWIN2SR_OK;
    bool is_damaged = is_ok && strstr(result->notes, "damaged");
    return json_pack("{so so so so sf ss ss? so}", "input", report_json_text(result->input), "output",
                     is_ok ? report_json_text(result->output) : json_null(), "width",
                     side_json(is_ok ? result->width_px : 0), "height", side_json(is_ok ? result->height_px : 0),
                     "seconds", result->seconds, "model", run->network.name, "damage",
                     is_damaged ? "the file is damaged" : NULL, "error",
                     is_ok ? json_null() : report_json_text(result->error.text));
}

static int keep_result(remote_run *run, image_result *result) {
    int code = report_exit_code(result->status);
    if (result->status == SWIN2SR_CANCELLED)
        code = interrupt_exit_code(code);
    else if (result->status != SWIN2SR_OK && !result->error.text[0])
        swin2sr__error_set(&result->error, result->status, "%s", swin2sr_status_name(result->status));
    report_result(run, result);
    if (run->options.is_json && json_array_append_new(run->results, result_json(run, result)) != 0)
        return report_no_memory();
    return code;
}

int remote_image(remote_run *run, const char *input) {
    bool is_taken;
    const char *output = outputs_next(&run->names, input, run->network.scale, &is_taken);
    if (!output)
        return CLI_EXIT_SYSTEM;
    image_result result = {.input = input, .output = output};
    input_file bytes = {0};
    uint64_t start_us = swin2sr__clock_us();
    if (is_taken)
        result.status =
            swin2sr__error_set_path(&result.error, SWIN2SR_IO, output, "already the output of another input");
    else
        result.status = input_read(input, &bytes, &result.error);
    if (result.status == SWIN2SR_OK)
        result.status = enlarge(run, &bytes, &result);
    input_done(&bytes);
    result.seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    return keep_result(run, &result);
}
