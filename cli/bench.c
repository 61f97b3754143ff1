/* SPDX-License-Identifier: Apache-2.0
 * cli/bench.c - swin2sr bench: time the engine alone, on generated rows; enlarged rows are dropped.
 * Out: seconds to open the network, seconds from the first row pushed to the last, multiply-adds per second, and their
 * share of the peak measured before each repetition. One warm-up comes first. With --report, one JSON object about the
 * machine, its GPUs, and the device beside the CPU, to be sent to the developers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/precision.h"
#include "base/threads.h"
#include "command/commands.h"
#include "command/interrupt.h"
#include "command/network.h"
#include "command/report.h"
#include "device.h"
#include "kernels/peak.h"

#define MAX_REPS 1000
#define MAX_SIDE_PX 65535

typedef struct bench_state {
    cli_options options;
    int32_t width_px, height_px;
    int32_t reps;
    bool is_report;
    swin2sr_model *model;
    swin2sr_plan plan;
    double load_seconds;
    double
        peak; /* highest measured, in 1e9 multiply-adds per second of one thread; 0: no native instructions, or a GPU */
    double seconds[MAX_REPS];
} bench_state;

static bool take_size(void *state, const char *text) {
    bench_state *bench = state;
    char width[8];
    const char *x = strchr(text, 'x');
    size_t length = x ? (size_t)(x - text) : sizeof(width);
    if (length < sizeof(width)) {
        memcpy(width, text, length);
        width[length] = '\0';
        if (options_parse_int(width, 1, MAX_SIDE_PX, &bench->width_px) &&
            options_parse_int(x + 1, 1, MAX_SIDE_PX, &bench->height_px))
            return true;
    }
    report_error(NULL, "--size %s: must be WxH with sides of 1..%d", text, MAX_SIDE_PX);
    return false;
}

static const cli_option OPTIONS[] = {
    {"size", "WxH", "of the input, sides 1..65535 (default: 256x256)", .take = take_size},
    {"reps", "N", "repetitions, 1..1000 (default: 5)", .min = 1, .max = MAX_REPS, .field = offsetof(bench_state, reps)},
    {"report", NULL,
     "print what to send about a GPU: the machine, its devices,\n"
     "and the speed of --device and of the CPU, as JSON",
     .field = offsetof(bench_state, is_report)},
    {0},
};

static swin2sr_status drop_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    return SWIN2SR_OK;
}

static bool on_progress(void *context, double done) {
    return interrupt_signal() == 0;
}

/* A gradient with a little noise, identical on every machine. */
static void generate_row(uint8_t *row, size_t bytes, int32_t y) {
    uint32_t noise = 0x9e3779b9u * (uint32_t)(y + 1);
    for (size_t i = 0; i < bytes; i++) {
        noise = noise * 1664525u + 1013904223u;
        row[i] = (uint8_t)(i / 3 + (uint32_t)y + (noise >> 28));
    }
}

static swin2sr_status push_all(const bench_state *bench, swin2sr_stream *stream, uint8_t *row, size_t bytes) {
    for (int32_t y = 0; y < bench->height_px; y++) {
        generate_row(row, bytes, y);
        swin2sr_status status = swin2sr_stream_push(stream, row, bytes, 1);
        if (status != SWIN2SR_OK)
            return status;
    }
    return SWIN2SR_OK;
}

static swin2sr_status run_once(bench_state *bench, double *ret_seconds, swin2sr_error *reterr) {
    size_t bytes = (size_t)bench->width_px * swin2sr_pixel_bytes(bench->options.engine.input_pixel);
    uint8_t *row = malloc(bytes);
    swin2sr_stream *stream = NULL;
    swin2sr_status status = row ? SWIN2SR_OK : SWIN2SR_NOMEM;
    if (status == SWIN2SR_OK)
        status = swin2sr_stream_open(bench->model, &bench->options.engine, bench->width_px, bench->height_px, drop_rows,
                                     NULL, &stream, reterr);
    if (status == SWIN2SR_OK) {
        uint64_t start_us = swin2sr__clock_us();
        bench->plan = *swin2sr_stream_get_plan(stream);
        status = push_all(bench, stream, row, bytes);
        *ret_seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    }
    swin2sr_stream_close(stream);
    free(row);
    return status;
}

static swin2sr_status run_all(bench_state *bench, swin2sr_error *reterr) {
    swin2sr_precision precision = swin2sr_model_get_info(bench->model)->precision;
    double warm_up;
    swin2sr_status status = run_once(bench, &warm_up, reterr);
    if (status == SWIN2SR_OK && bench->plan.threads_note[0] && !bench->options.is_quiet)
        report_note(NULL, "%s", bench->plan.threads_note);
    for (int32_t i = 0; i < bench->reps && status == SWIN2SR_OK; i++) {
        if (!swin2sr_model_get_info(bench->model)->device[0])
            bench->peak = fmax(bench->peak, swin2sr__peak_gmac_per_s(precision));
        status = run_once(bench, &bench->seconds[i], reterr);
    }
    return status;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *sorted, int32_t n) {
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* The largest resident set of the process so far; 0 if /proc does not state it. */
static size_t peak_memory_bytes(void) {
    char line[256];
    unsigned long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmHWM: %lu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return (size_t)kib << 10;
}

static json_t *result_json(const bench_state *bench, double gmac_per_s, double peak_share) {
    const swin2sr_model_info *info = swin2sr_model_get_info(bench->model);
    return json_pack("{sf sf sf sf so so sI sI si si ss so ss so sI sI sI sf so}", "load_seconds", bench->load_seconds,
                     "seconds_min", bench->seconds[0], "seconds_median", median(bench->seconds, bench->reps),
                     "gmac_per_s", gmac_per_s, "peak_share", report_json_real(peak_share), "peak_gmac_per_s",
                     report_json_real(bench->peak > 0 ? bench->peak : NAN), "memory_bytes",
                     (json_int_t)peak_memory_bytes(), "plan_bytes", (json_int_t)bench->plan.memory_bytes, "threads",
                     bench->plan.threads, "rows", bench->plan.rows, "precision",
                     swin2sr__precision_name(info->precision), "cpu", report_json_text(swin2sr__cpu_name()), "kernels",
                     info->kernels, "model", report_json_text(info->name), "width", (json_int_t)bench->width_px,
                     "height", (json_int_t)bench->height_px, "reps", (json_int_t)bench->reps, "gmac", bench->plan.gmac,
                     "device", info->device[0] ? report_json_text(info->device) : json_null());
}

static void print_result(const bench_state *bench, double gmac_per_s, double peak_share) {
    const swin2sr_model_info *info = swin2sr_model_get_info(bench->model);
    printf("%s, %dx%d, %s, kernels %s, %d thread%s, %s\n", info->name, bench->width_px, bench->height_px,
           swin2sr__precision_name(info->precision), info->kernels, bench->plan.threads,
           bench->plan.threads == 1 ? "" : "s", info->device[0] ? info->device : swin2sr__cpu_name());
    printf("load     %.3f s\n", bench->load_seconds);
    printf("seconds  %.3f best, %.3f median of %d\n", bench->seconds[0], median(bench->seconds, bench->reps),
           bench->reps);
    printf("speed    %.1f GMAC/s", gmac_per_s);
    if (isfinite(peak_share))
        printf(", %.1f %% of the peak (%.1f GMAC/s a thread)", 100 * peak_share, bench->peak);
    printf("\nmemory   %.1f MiB resident at most, %.1f MiB planned\n", (double)peak_memory_bytes() / (1 << 20),
           (double)bench->plan.memory_bytes / (1 << 20));
}

static json_t *sorted_json(bench_state *bench, bool is_printed) {
    qsort(bench->seconds, (size_t)bench->reps, sizeof(double), by_value);
    double gmac_per_s = bench->plan.gmac / bench->seconds[0];
    double peak_share = bench->peak > 0 ? gmac_per_s / (bench->peak * bench->plan.threads) : NAN;
    if (is_printed)
        print_result(bench, gmac_per_s, peak_share);
    return is_printed ? NULL : result_json(bench, gmac_per_s, peak_share);
}

/* Measure with the model that is open. */
static swin2sr_status measure(bench_state *bench, swin2sr_error *reterr) {
    bool is_grey = swin2sr_model_get_info(bench->model)->channels == 1;
    bench->options.engine.input_pixel = is_grey ? SWIN2SR_PIXEL_GREY8 : SWIN2SR_PIXEL_RGB8;
    bench->options.engine.output_pixel = bench->options.engine.input_pixel;
    bench->options.engine.on_progress = on_progress;
    interrupt_watch();
    swin2sr_status status = run_all(bench, reterr);
    if (status != SWIN2SR_OK && interrupt_signal())
        swin2sr__error_set(reterr, status, "interrupted");
    return status;
}

/* ---- the report ---- */

/* Measure one device; a failure is part of the report. */
static json_t *device_result(const bench_state *from, const char *device, swin2sr_status *ret_status) {
    bench_state bench = *from;
    swin2sr_error error = {0};
    bool is_unknown;
    json_t *result = NULL;
    uint64_t start_us = swin2sr__clock_us();
    bench.options.load.device = device;
    *ret_status = network_try(&bench.options, &bench.model, &is_unknown, &error);
    bench.load_seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    if (*ret_status == SWIN2SR_OK) {
        *ret_status = measure(&bench, &error);
        result = *ret_status == SWIN2SR_OK ? sorted_json(&bench, false) : NULL;
        if (result && swin2sr_model_get_info(bench.model)->device[0])
            json_object_set_new(result, "driver", report_json_text(swin2sr_model_get_info(bench.model)->device_driver));
        swin2sr_model_unref(bench.model);
    }
    if (result)
        return result;
    return json_pack("{ss so}", "status", swin2sr_status_name(*ret_status), "error", report_json_text(error.text));
}

/* The device first, and the CPU for comparison. */
static int print_report(const bench_state *bench) {
    const char *device = bench->options.load.device ? bench->options.load.device : "vulkan";
    struct utsname system = {0};
    swin2sr_error error = {""};
    swin2sr_status status, cpu_status;
    uname(&system);
    json_t *devices = device_list_json(&error);
    json_t *result = device_result(bench, device, &status), *cpu = device_result(bench, "cpu", &cpu_status);
    json_t *report = json_pack(
        "{ss so so ss si so so so so so}", "version", SWIN2SR_VERSION, "system", report_json_text(system.sysname),
        "release", report_json_text(system.release), "machine", system.machine, "cores", swin2sr__cores_usable(), "cpu",
        report_json_text(swin2sr__cpu_name()), "devices", devices, "devices_note",
        error.text[0] ? report_json_text(error.text) : json_null(), "device", result, "cpu_device", cpu);
    int code = report_json(report);
    return interrupt_exit_code(code == CLI_EXIT_OK && status != SWIN2SR_OK ? CLI_EXIT_MODEL : code);
}

/* ---- the command ---- */

static int run_parsed(bench_state *bench) {
    uint64_t start_us = swin2sr__clock_us();
    int code = network_open(&bench->options, &bench->model);
    bench->load_seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    if (code != CLI_EXIT_OK)
        return code;
    swin2sr_error error = {0};
    swin2sr_status status = measure(bench, &error);
    if (status == SWIN2SR_OK) {
        json_t *result = sorted_json(bench, !bench->options.is_json);
        code = result ? report_json(result) : CLI_EXIT_OK;
    } else {
        code = interrupt_exit_code(report_failure(NULL, status, &error));
    }
    swin2sr_model_unref(bench->model);
    return code;
}

static int run(const cli_command *command, int argc, char **argv) {
    bench_state bench = {.width_px = 256, .height_px = 256, .reps = 5};
    if (!options_parse(command, &bench, argc, argv, &argv))
        return CLI_EXIT_USAGE;
    return bench.is_report ? print_report(&bench) : run_parsed(&bench);
}

const cli_command bench_command = {
    "bench",
    "swin2sr bench",
    "Usage: swin2sr bench [OPTION]...\n"
    "Measure the speed of the engine: a generated image passes through the network row by row,\n"
    "and the result is dropped. After one warm-up, the processor's multiply-add peak is measured\n"
    "before each repetition.\n\n",
    .groups = {OPTIONS, options_model, options_device, options_engine, options_common},
    .run = run,
};
