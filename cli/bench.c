/* SPDX-License-Identifier: Apache-2.0
 * cli/bench.c - swin2sr bench: the engine alone, rows from a generator in, enlarged rows dropped.
 * Out: seconds to open the network; seconds from the first row pushed to the last, multiply-adds a second, and their
 * share of the peak that is measured beside each repetition. One warm-up first; no pictures, no codecs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "commands.h"
#include "exit_codes.h"
#include "interrupt.h"
#include "options.h"
#include "report.h"
#include "kernels/peak.h"

const char bench_help[] =
    "Usage: swin2sr bench [OPTION]...\n"
    "Time the engine: a generated image flows through the network row by row and the result is\n"
    "dropped. One warm-up, then the repetitions; the processor's multiply-add peak is measured\n"
    "beside each of them.\n\n"
    "      --size WxH          of the input (default: 256x256)\n"
    "      --reps N            repetitions, 1..1000 (default: 5)\n" OPTIONS_MODEL_HELP OPTIONS_ENGINE_HELP
        OPTIONS_COMMON_HELP;

enum {
    SIZE_ID = OPTIONS_COMMAND_ID,
    REPS_ID
};

#define MAX_REPS 1000
#define MAX_SIDE_PX 65535

typedef struct bench_state {
    cli_options options;
    int64_t width_px, height_px;
    int64_t reps;
    swin2sr_model *model;
    swin2sr_plan plan;
    double load_seconds;
    double peak; /* highest seen, 1e9 multiply-adds a second of one thread; 0: the type is not native */
    double seconds[MAX_REPS];
} bench_state;

static bool take_size(bench_state *bench, const char *text) {
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
    report_error(NULL, "--size takes WxH with sides from 1 to %d, not '%s'", MAX_SIDE_PX, text);
    return false;
}

static bool take_option(bench_state *bench, int id) {
    switch (id) {
    case SIZE_ID:
        return take_size(bench, optarg);
    case REPS_ID:
        return options_take_int("reps", optarg, 1, MAX_REPS, &bench->reps);
    default:
        return options_take(&bench->options, id);
    }
}

/* ---- one repetition ---- */

static swin2sr_status drop_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    return SWIN2SR_OK;
}

static bool on_progress(void *context, double done) {
    return interrupt_signal() == 0;
}

/* A slope with some noise on it: neither flat nor random, the same on every machine. */
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

static swin2sr_status run_once(const bench_state *bench, double *ret_seconds, swin2sr_error *reterr) {
    size_t bytes = (size_t)bench->width_px * swin2sr_pixel_bytes(bench->options.engine.input_pixel);
    uint8_t *row = malloc(bytes);
    swin2sr_stream *stream = NULL;
    swin2sr_status status = row ? SWIN2SR_OK : SWIN2SR_NOMEM;
    if (status == SWIN2SR_OK)
        status = swin2sr_stream_open(bench->model, &bench->options.engine, (int32_t)bench->width_px,
                                     (int32_t)bench->height_px, drop_rows, NULL, &stream, reterr);
    if (status == SWIN2SR_OK) {
        uint64_t start_us = swin2sr__clock_us();
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
    swin2sr_status status = swin2sr_stream_plan(bench->model, &bench->options.engine, (int32_t)bench->width_px,
                                                (int32_t)bench->height_px, &bench->plan, reterr);
    if (status == SWIN2SR_OK)
        status = run_once(bench, &warm_up, reterr);
    for (int64_t i = 0; i < bench->reps && status == SWIN2SR_OK; i++) {
        bench->peak = fmax(bench->peak, swin2sr__peak_gmac_per_s(precision));
        status = run_once(bench, &bench->seconds[i], reterr);
    }
    return status;
}

/* ---- results ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *sorted, int64_t n) {
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* The process's largest resident set so far; 0 where /proc does not say. */
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
    return json_pack("{sf sf sf sf so so sI sI si si ss so ss so sI sI sI sf}", "load_seconds", bench->load_seconds,
                     "seconds_min", bench->seconds[0], "seconds_median", median(bench->seconds, bench->reps),
                     "gmac_per_s", gmac_per_s, "peak_share", report_json_real(peak_share), "peak_gmac_per_s",
                     report_json_real(bench->peak > 0 ? bench->peak : NAN), "memory_bytes",
                     (json_int_t)peak_memory_bytes(), "plan_bytes", (json_int_t)bench->plan.memory_bytes, "threads",
                     bench->plan.threads, "rows", bench->plan.rows, "precision", report_precision_name(info->precision),
                     "cpu", report_json_text(swin2sr__cpu_name()), "kernels", info->kernels, "model",
                     report_json_text(info->name), "width", (json_int_t)bench->width_px, "height",
                     (json_int_t)bench->height_px, "reps", (json_int_t)bench->reps, "gmac", bench->plan.gmac);
}

static void print_result(const bench_state *bench, double gmac_per_s, double peak_share) {
    const swin2sr_model_info *info = swin2sr_model_get_info(bench->model);
    printf("%s, %dx%d, %s, kernels %s, %d thread%s, %s\n", info->name, (int)bench->width_px, (int)bench->height_px,
           report_precision_name(info->precision), info->kernels, bench->plan.threads,
           bench->plan.threads == 1 ? "" : "s", swin2sr__cpu_name());
    printf("load     %.3f s\n", bench->load_seconds);
    printf("seconds  %.3f best, %.3f median of %d\n", bench->seconds[0], median(bench->seconds, bench->reps),
           (int)bench->reps);
    printf("speed    %.1f GMAC/s", gmac_per_s);
    if (isfinite(peak_share))
        printf(", %.1f %% of the peak (%.1f GMAC/s a thread)", 100 * peak_share, bench->peak);
    printf("\nmemory   %.1f MiB resident at most, %.1f MiB planned\n", (double)peak_memory_bytes() / (1 << 20),
           (double)bench->plan.memory_bytes / (1 << 20));
}

static int report_bench(bench_state *bench) {
    qsort(bench->seconds, (size_t)bench->reps, sizeof(double), by_value);
    double gmac_per_s = bench->plan.gmac / bench->seconds[0];
    double peak_share = bench->peak > 0 ? gmac_per_s / (bench->peak * bench->plan.threads) : NAN;
    if (bench->options.is_json)
        return report_json(result_json(bench, gmac_per_s, peak_share));
    print_result(bench, gmac_per_s, peak_share);
    return CLI_EXIT_OK;
}

static int run_parsed(bench_state *bench) {
    uint64_t start_us = swin2sr__clock_us();
    int code = options_open_model(&bench->options, &bench->model);
    bench->load_seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    if (code != CLI_EXIT_OK)
        return code;
    bool is_grey = swin2sr_model_get_info(bench->model)->channels == 1;
    bench->options.engine.input_pixel = is_grey ? SWIN2SR_PIXEL_GREY8 : SWIN2SR_PIXEL_RGB8;
    bench->options.engine.output_pixel = bench->options.engine.input_pixel;
    bench->options.engine.on_progress = on_progress;
    interrupt_watch();
    swin2sr_error error = {0};
    swin2sr_status status = run_all(bench, &error);
    if (status == SWIN2SR_OK)
        code = report_bench(bench);
    else if (interrupt_signal())
        code = CLI_EXIT_SIGNAL + interrupt_signal();
    else
        code = report_exit_code(status);
    if (status != SWIN2SR_OK)
        report_error(NULL, "%s",
                     interrupt_signal() ? "interrupted"
                     : error.text[0]    ? error.text
                                        : swin2sr_status_name(status));
    swin2sr_model_unref(bench->model);
    return code;
}

int bench_run(int argc, char **argv) {
    static const struct option LIST[] = {{"size", required_argument, NULL, SIZE_ID},
                                         {"reps", required_argument, NULL, REPS_ID},
                                         OPTIONS_COMMON,
                                         OPTIONS_MODEL,
                                         OPTIONS_ENGINE,
                                         {0}};
    bench_state bench = {.width_px = 256, .height_px = 256, .reps = 5};
    int id;
    while ((id = getopt_long(argc, argv, "q", LIST, NULL)) != -1)
        if (!take_option(&bench, id))
            return CLI_EXIT_USAGE;
    if (optind != argc) {
        report_error(NULL, "bench takes no argument '%s'", argv[optind]);
        return CLI_EXIT_USAGE;
    }
    return run_parsed(&bench);
}
