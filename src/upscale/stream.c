/* SPDX-License-Identifier: Apache-2.0
 * upscale/stream.c - plan and run one image (stage 5 of 9, plan; stage 6 behind it).
 * In: a model, a size, a memory budget.  Out: rows of windows a step, an engine with its threads. */
#include <swin2sr/stream.h>

#include <stdlib.h>

#include "base/cores.h"
#include "base/error.h"
#include "base/pool.h"
#include "engine/engine.h"

#define MAX_SIDE_PX 65535
#define MAX_THREADS 256
#define MAX_ROWS 64
/* Columns x rows of windows a step that keep the threads busy between two barriers; more rows cost memory only. */
#define STEP_COLUMNS_PX 512
#define MAX_CHOSEN_ROWS 8

struct swin2sr_stream {
    swin2sr_model *model;
    swin2sr__pool *pool;
    swin2sr__engine *engine;
};

static bool is_pixel_of(swin2sr_pixel pixel, int32_t channels) {
    if (channels == 3)
        return pixel == SWIN2SR_PIXEL_RGB8 || pixel == SWIN2SR_PIXEL_RGBF32;
    return pixel == SWIN2SR_PIXEL_GREY8 || pixel == SWIN2SR_PIXEL_GREYF32;
}

static swin2sr_status check(const swin2sr_model_info *info, const swin2sr_options *options, int32_t width_px,
                            int32_t height_px, swin2sr_error *reterr) {
    if (width_px < 1 || height_px < 1 || width_px > MAX_SIDE_PX || height_px > MAX_SIDE_PX)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "a side must be 1 to %d pixels, not %d x %d", MAX_SIDE_PX,
                                  width_px, height_px);
    if (options->threads < 0 || options->threads > MAX_THREADS)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "threads must be 0 to %d, not %d", MAX_THREADS,
                                  options->threads);
    if (options->rows < 0 || options->rows > MAX_ROWS)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "rows must be 0 to %d, not %d", MAX_ROWS, options->rows);
    if (options->pad < 0 || options->pad >= SWIN2SR_PAD_COUNT)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "unknown padding %d", (int)options->pad);
    if (!is_pixel_of(options->input_pixel, info->channels) || !is_pixel_of(options->output_pixel, info->channels))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the model works on %d-channel pixels", info->channels);
    return SWIN2SR_OK;
}

static int32_t rows_for(int32_t width_px, int32_t height_px) {
    int32_t rows = STEP_COLUMNS_PX / width_px, all = (height_px + 7) / 8;
    rows = rows < 1 ? 1 : rows > MAX_CHOSEN_ROWS ? MAX_CHOSEN_ROWS : rows;
    return rows < all ? rows : all;
}

/* Engine options and plan for a size: the chosen rows, fewer where the budget asks for it. */
static swin2sr_status make_plan(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                int32_t height_px, swin2sr__engine_options *ret_engine, swin2sr_plan *ret_plan,
                                swin2sr_error *reterr) {
    swin2sr_options defaults = {0};
    const swin2sr__network *network = swin2sr__model_network(model);
    options = options ? options : &defaults;
    swin2sr_status status = check(swin2sr_model_get_info(model), options, width_px, height_px, reterr);
    if (status != SWIN2SR_OK)
        return status;
    swin2sr__engine_options engine = {.width_px = width_px,
                                      .height_px = height_px,
                                      .rows = options->rows ? options->rows : rows_for(width_px, height_px),
                                      .pad = options->pad,
                                      .input_pixel = options->input_pixel,
                                      .output_pixel = options->output_pixel,
                                      .on_progress = options->on_progress,
                                      .progress_context = options->progress_context};
    engine.threads = (uint32_t)(options->threads ? options->threads : swin2sr__cores_usable());
    if (engine.threads > MAX_THREADS)
        engine.threads = MAX_THREADS;
    swin2sr_plan plan = {0};
    for (;; engine.rows = options->rows ? engine.rows : engine.rows / 2) {
        plan.memory_bytes = swin2sr__engine_measure(network, &engine, &plan.latency_rows);
        bool fits =
            plan.memory_bytes != SIZE_MAX && (!options->memory_bytes || plan.memory_bytes <= options->memory_bytes);
        if (fits)
            break;
        if (options->rows || engine.rows == 1)
            return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE,
                                      "%d x %d pixels need %zu MiB of memory, %zu MiB are allowed", width_px, height_px,
                                      (plan.memory_bytes >> 20) + 1, options->memory_bytes >> 20);
    }
    plan.rows = engine.rows;
    plan.threads = (int32_t)engine.threads;
    plan.gmac = swin2sr__network_macs_per_pixel(network) * 1e-9 * swin2sr__engine_padded(width_px, options->pad) *
                swin2sr__engine_padded(height_px, options->pad);
    *ret_engine = engine;
    *ret_plan = plan;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr_stream_plan(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_plan *ret_plan, swin2sr_error *reterr) {
    swin2sr__engine_options engine;
    return make_plan(model, options, width_px, height_px, &engine, ret_plan, reterr);
}

swin2sr_status swin2sr_stream_open(swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_on_rows on_rows, void *context,
                                   swin2sr_stream **ret_stream, swin2sr_error *reterr) {
    swin2sr__engine_options engine;
    swin2sr_plan plan;
    swin2sr_status status = make_plan(model, options, width_px, height_px, &engine, &plan, reterr);
    if (status != SWIN2SR_OK)
        return status;
    engine.on_rows = on_rows;
    engine.rows_context = context;
    swin2sr_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a stream");
    stream->model = swin2sr_model_ref(model);
    status = swin2sr__pool_new(engine.threads, &stream->pool);
    if (status == SWIN2SR_OK)
        status = swin2sr__engine_new(swin2sr__model_network(model), &engine, stream->pool, &stream->engine);
    if (status != SWIN2SR_OK) {
        swin2sr_stream_close(stream);
        return swin2sr__error_set(reterr, status, "no memory for %zu MiB and %u threads", plan.memory_bytes >> 20,
                                  engine.threads);
    }
    *ret_stream = stream;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr_stream_push(swin2sr_stream *stream, const void *rows, size_t stride_bytes, int32_t n) {
    return swin2sr__engine_push(stream->engine, rows, stride_bytes, n);
}

void swin2sr_stream_close(swin2sr_stream *stream) {
    if (!stream)
        return;
    swin2sr__engine_free(stream->engine);
    swin2sr__pool_free(stream->pool);
    swin2sr_model_unref(stream->model);
    free(stream);
}
