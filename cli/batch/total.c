/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/total.c - what a batch would do, how long it would take and how much room it needs; what it has done. */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/error.h"
#include "command/interrupt.h"
#include "command/report.h"
#include "run.h"

/* Bytes per pixel of enlarged photographs, which a picture may well miss by half. */
#define LOSSLESS_BYTES 0.8
#define LOSSY_BYTES 0.35

/* Of one image, or of all. */
typedef struct forecast {
    double seconds; /* < 0: not known */
    double bytes;
    int32_t width_px, height_px; /* of the output; 0: not known */
} forecast;

static void bytes_text(double bytes, char ret_text[32]) {
    static const char *const UNITS[] = {"KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (bytes /= 1024; bytes >= 1000 && unit < 3; unit++)
        bytes /= 1024;
    snprintf(ret_text, 32, "%.*f %s", bytes < 10 ? 1 : 0, bytes, UNITS[unit]);
}

static forecast forecast_of(const batch_run *run, const batch_item *item, const upscale_pace *pace) {
    upscale_work work = {0};
    forecast found = {0};
    bool is_lossy = format_get(run->local.names.format)->has_quality;
    if (item->width_px) /* a header may claim any size */
        format_target_size(&run->local.enlarge.target, item->width_px, item->height_px, run->scale, &found.width_px,
                           &found.height_px);
    found.bytes = item->times * found.width_px * found.height_px * (is_lossy ? LOSSY_BYTES : LOSSLESS_BYTES);
    if (pace)
        pace_add(&run->local, item->width_px, item->height_px, &work);
    found.seconds = pace ? item->times * pace_seconds(pace, &work) : -1;
    return found;
}

/* ---- before ---- */

static void print_item(const batch_item *item, const forecast *found) {
    char time[32] = "", bytes[32];
    if (item->state != BATCH_TODO) {
        report_line("%s: %s", item->input->path, item->reason);
        return;
    }
    if (found->seconds >= 0)
        pace_text(found->seconds, time);
    bytes_text(found->bytes, bytes);
    if (found->width_px)
        report_line("%s -> %s: %dx%d, about %s%s%s", item->input->path, item->input->output, found->width_px,
                    found->height_px, time, time[0] ? ", " : "", bytes);
    else
        report_line("%s -> %s: its header cannot be read", item->input->path, item->input->output);
}

static json_t *item_json(const batch_item *item, const forecast *found) {
    static const char *const STATES[BATCH_STATE_COUNT] = {"enlarge", "finished", "skip", "refuse"};
    bool is_todo = item->state == BATCH_TODO, is_known = is_todo && found->width_px;
    return json_pack("{so so ss so so so so so}", "input", report_json_text(item->input->path), "output",
                     item->input->output ? report_json_text(item->input->output) : json_null(), "plan",
                     STATES[item->state], "width", is_known ? json_integer(found->width_px) : json_null(), "height",
                     is_known ? json_integer(found->height_px) : json_null(), "seconds",
                     is_known && found->seconds >= 0 ? json_real(found->seconds) : json_null(), "bytes",
                     is_known ? json_integer((json_int_t)found->bytes) : json_null(), "reason",
                     item->reason ? report_json_text(item->reason) : json_null());
}

/* Free bytes where the outputs will be: in the folder for them, or in the first one above it that exists. */
static double free_bytes(const batch_run *run) {
    struct statvfs info;
    char path[4096];
    snprintf(path, sizeof(path), "%s", run->local.names.output);
    for (char *slash; statvfs(path, &info) != 0; *slash = '\0')
        if (!(slash = strrchr(path, '/')) || slash == path)
            return statvfs(path[0] == '/' ? "/" : ".", &info) == 0 ? (double)info.f_bavail * (double)info.f_frsize : 0;
    return (double)info.f_bavail * (double)info.f_frsize;
}

static int print_total(const batch_run *run, const forecast *all, double room) {
    char time[32] = "not known", bytes[32], left[32];
    if (all->seconds >= 0)
        pace_text(all->seconds, time);
    bytes_text(all->bytes, bytes);
    bytes_text(room, left);
    if (run->local.options.is_json || run->local.options.is_json_lines) {
        json_t *summary =
            json_pack("{sI sI sI sI so sf sf so}", "enlarge", (json_int_t)batch_count(run, BATCH_TODO), "finished",
                      (json_int_t)batch_count(run, BATCH_FINISHED), "skip", (json_int_t)batch_count(run, BATCH_SKIPPED),
                      "refuse", (json_int_t)batch_count(run, BATCH_REFUSED), "seconds",
                      all->seconds >= 0 ? json_real(all->seconds) : json_null(), "bytes", all->bytes, "free_bytes",
                      room, "model", report_json_text(run->network));
        if (run->local.options.is_json)
            return report_json(summary);
        return report_item(NULL, json_pack("{so}", "summary", summary)) ? CLI_EXIT_OK : report_no_memory();
    }
    report_line(
        "%zu to enlarge, %zu finished by an earlier run, %zu to skip, %zu refused: time about %s, about %s of %s free",
        batch_count(run, BATCH_TODO), batch_count(run, BATCH_FINISHED), batch_count(run, BATCH_SKIPPED),
        batch_count(run, BATCH_REFUSED), time, bytes, left);
    return CLI_EXIT_OK;
}

int batch_preview(batch_run *run) {
    swin2sr_error error = {0};
    upscale_pace measured, *pace = run->is_remote ? NULL : &measured;
    swin2sr_status status = pace ? pace_measure(&run->local, pace, &error) : SWIN2SR_OK;
    forecast all = {.seconds = pace ? 0 : -1};
    if (status != SWIN2SR_OK)
        return report_failure(NULL, status, &error);
    int worst = CLI_EXIT_OK;
    for (size_t i = 0; i < run->count; i++) {
        const batch_item *item = &run->items[i];
        forecast found = forecast_of(run, item, pace);
        all.bytes += found.bytes;
        all.seconds += pace ? found.seconds : 0;
        worst = item->state == BATCH_REFUSED && item->code > worst ? item->code : worst;
        if (run->local.options.is_json_lines && !report_item(NULL, item_json(item, &found)))
            return report_no_memory();
        if (!options_has_json(&run->local.options))
            print_item(item, &found);
    }
    int code = print_total(run, &all, free_bytes(run));
    return code > worst ? code : worst;
}

/* ---- after ---- */

/* "12 enlarged (3.4 MiB), 1 failed, in 20 s" */
static void tell(const batch_run *run, size_t left, double seconds) {
    char text[256] = "", time[32], bytes[32];
    bytes_text(run->out_bytes, bytes);
    snprintf(text, sizeof(text), "%zu enlarged (%s)", run->made, bytes);
    report_add_count(text, sizeof(text), batch_count(run, BATCH_FINISHED), "finished by an earlier run",
                     "finished by an earlier run");
    report_add_count(text, sizeof(text), batch_count(run, BATCH_SKIPPED), "skipped", "skipped");
    report_add_count(text, sizeof(text), run->failed, "failed", "failed");
    report_add_count(text, sizeof(text), left, "left", "left");
    pace_text(seconds, time);
    report_note(NULL, "%s, in %s", text, time);
}

int batch_summary(const batch_run *run, double seconds) {
    size_t left = batch_count(run, BATCH_TODO) + batch_count(run, BATCH_REFUSED) - run->made - run->failed;
    if (!run->local.options.is_quiet)
        tell(run, left, seconds);
    if (!options_has_json(&run->local.options))
        return CLI_EXIT_OK;
    json_t *summary = json_pack(
        "{sI sI sI sI sI sf sI so ss?}", "enlarged", (json_int_t)run->made, "finished",
        (json_int_t)batch_count(run, BATCH_FINISHED), "skipped", (json_int_t)batch_count(run, BATCH_SKIPPED), "failed",
        (json_int_t)run->failed, "left", (json_int_t)left, "seconds", seconds, "bytes", (json_int_t)run->out_bytes,
        "model", report_json_text(run->network), "stopped", interrupt_signal() ? "interrupted" : run->stopped);
    if (run->local.options.is_json)
        return report_json(summary);
    return report_item(NULL, json_pack("{so}", "summary", summary)) ? CLI_EXIT_OK : report_no_memory();
}
