/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/pace.c - a small picture is enlarged and timed; larger ones take as much longer as they have more work. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "command/report.h"
#include "enlarge/ensemble.h"
#include "pace.h"

#define SAMPLE_GMAC 12.0
#define SAMPLE_WIDTH_PX 128
#define SAMPLE_MIN_PX 16
#define SAMPLE_MAX_PX 256
#define ENCODE_S_PER_PX 3e-8  /* a small part of the whole, so a constant will do */
#define FAST_GMAC_PER_S 400.0 /* of a processor that makes a measurement worth while */
#define LONG_S 30.0

/* ---- the pace ---- */

swin2sr_options pace_engine(const upscale_run *run) {
    swin2sr_options engine = run->options.engine;
    bool is_grey = swin2sr_model_get_info(run->model)->channels == 1;
    engine.input_pixel = engine.output_pixel = is_grey ? SWIN2SR_PIXEL_GREY8 : SWIN2SR_PIXEL_RGB8;
    return engine;
}

swin2sr_status pace_plan(const upscale_run *run, int32_t width_px, int32_t height_px, swin2sr_plan *ret_plan,
                         swin2sr_error *reterr) {
    const swin2sr_options engine = pace_engine(run);
    return run->enlarge.is_ensemble ? ensemble_plan(run->model, &engine, width_px, height_px, ret_plan, reterr)
                                    : swin2sr_stream_plan(run->model, &engine, width_px, height_px, ret_plan, reterr);
}

void pace_add(const upscale_run *run, int32_t width_px, int32_t height_px, upscale_work *work) {
    const swin2sr_model_info *network = swin2sr_model_get_info(run->model);
    swin2sr_plan plan;
    if (pace_plan(run, width_px, height_px, &plan, NULL) != SWIN2SR_OK)
        return;
    work->images++;
    work->gmac += plan.gmac;
    work->in_px += (double)width_px * height_px;
    work->out_px += (double)width_px * height_px * network->scale * network->scale;
}

/* Soft waves and a little noise: values that are all 0 could be faster than those of pictures. */
static void draw_row(int32_t y, int32_t samples, uint8_t *row) {
    uint32_t noise = (uint32_t)y;
    for (int32_t i = 0; i < samples; i++) {
        int32_t wave = (i + 7 * y) % 200;
        noise = noise * 1664525u + 1013904223u; /* Numerical Recipes' generator */
        row[i] = (uint8_t)((wave < 100 ? wave : 200 - wave) * 2 + (int32_t)(noise >> 28));
    }
}

static swin2sr_status drop(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    (void)context, (void)y, (void)n, (void)rows, (void)stride_bytes;
    return SWIN2SR_OK;
}

static swin2sr_status time_rows(swin2sr_stream *stream, int32_t height_px, int32_t channels, double *ret_seconds) {
    uint8_t row[SAMPLE_WIDTH_PX * 3];
    uint64_t start_us = swin2sr__clock_us();
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t y = 0; y < height_px && status == SWIN2SR_OK; y++) {
        draw_row(y, SAMPLE_WIDTH_PX * channels, row);
        status = swin2sr_stream_push(stream, row, sizeof(row), 1);
    }
    *ret_seconds = (double)(swin2sr__clock_us() - start_us) / 1e6;
    return status;
}

swin2sr_status pace_measure(const upscale_run *run, upscale_pace *ret_pace, swin2sr_error *reterr) {
    upscale_work least = {0};
    swin2sr_stream *stream = NULL;
    swin2sr_options engine = pace_engine(run);
    double seconds = 0;
    engine.memory_bytes = 0;
    engine.tile_px = engine.overlap_px = 0;
    pace_add(run, SAMPLE_WIDTH_PX, SAMPLE_MIN_PX, &least);
    int32_t height_px = least.gmac > 0 ? (int32_t)(SAMPLE_MIN_PX * SAMPLE_GMAC / least.gmac) : SAMPLE_MIN_PX;
    height_px = height_px < SAMPLE_MIN_PX ? SAMPLE_MIN_PX : height_px > SAMPLE_MAX_PX ? SAMPLE_MAX_PX : height_px;
    swin2sr_status status =
        swin2sr_stream_open(run->model, &engine, SAMPLE_WIDTH_PX, height_px, drop, NULL, &stream, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = time_rows(stream, height_px, swin2sr_model_get_info(run->model)->channels, &seconds);
    double gmac = swin2sr_stream_get_plan(stream)->gmac;
    swin2sr_stream_close(stream);
    if (status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, status, "%s", swin2sr_status_name(status));
    *ret_pace = (upscale_pace){.s_per_gmac = seconds / gmac, .s_per_out_px = ENCODE_S_PER_PX};
    return SWIN2SR_OK;
}

double pace_seconds(const upscale_pace *pace, const upscale_work *work) {
    return pace->s_per_gmac * work->gmac + pace->s_per_out_px * work->out_px;
}

/* ---- files ---- */

static bool read_at(void *context, uint64_t at, void *bytes, size_t size) {
    const int *fd = context;
    return pread(*fd, bytes, size, (off_t)at) == (ssize_t)size;
}

bool pace_probe(const char *path, probe_info *ret_info) {
    struct stat file; /* a pipe is not opened, because its writer would be told that its reader has gone */
    bool is_file = strcmp(path, "-") != 0 && stat(path, &file) == 0 && S_ISREG(file.st_mode);
    int fd = is_file ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    const probe_source source = {read_at, &fd, (uint64_t)(size > 0 ? size : 0)};
    bool is_known = size > 0 && probe_file(&source, ret_info, NULL) == SWIN2SR_OK;
    if (fd >= 0)
        close(fd);
    return is_known;
}

void pace_add_file(const upscale_run *run, const char *path, upscale_work *work) {
    probe_info info;
    uint64_t most = run->enlarge.limits.pixels ? run->enlarge.limits.pixels : IMAGE_DEFAULT_PIXELS;
    if (pace_probe(path, &info) && (uint64_t)info.width_px * (uint64_t)info.height_px <= most)
        pace_add(run, info.width_px, info.height_px, work);
}

void pace_text(double seconds, char ret_text[32]) {
    int minutes = (int)(seconds / 60 + 0.5);
    if (seconds < 10)
        snprintf(ret_text, 32, "%.1f s", seconds);
    else if (seconds < 100)
        snprintf(ret_text, 32, "%.0f s", seconds);
    else if (minutes < 100)
        snprintf(ret_text, 32, "%d min", minutes);
    else
        snprintf(ret_text, 32, "%d h %d min", minutes / 60, minutes % 60);
}

void pace_tell(const upscale_run *run) {
    upscale_work work = {0};
    upscale_pace pace;
    char text[32];
    const input_list *inputs = &run->names.inputs;
    for (size_t i = 0; i < inputs->count; i++)
        if (!inputs->list[i].problem)
            pace_add_file(run, inputs->list[i].path, &work);
    if (work.gmac < LONG_S * FAST_GMAC_PER_S / 10 || pace_measure(run, &pace, NULL) != SWIN2SR_OK)
        return;
    double seconds = pace_seconds(&pace, &work);
    if (seconds < LONG_S)
        return;
    pace_text(seconds, text);
    report_note(NULL, "%zu image%s, %.1f megapixels: about %s", work.images, work.images == 1 ? "" : "s",
                work.in_px / 1e6, text);
}
