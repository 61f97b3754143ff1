/* SPDX-License-Identifier: Apache-2.0
 * upscale/stream.c - the public stream: a plan, then an engine with its threads, for the whole image or for tiles.
 * In: rows of pixels.  Out: enlarged rows through the caller's function. */
#include <swin2sr/stream.h>

#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"
#include "upscale/tiles.h"

struct swin2sr_stream {
    swin2sr_model *model;
    swin2sr_threads *own_threads; /* NULL: the caller's are used */
    swin2sr__engine *engine;
    swin2sr__tiles *tiles; /* NULL: the whole image goes through the engine */
    swin2sr_plan plan;
    size_t row_bytes, align_bytes; /* of input rows */
};

swin2sr_status swin2sr_stream_plan(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_plan *ret_plan, swin2sr_error *reterr) {
    swin2sr__layout layout;
    swin2sr_status status = swin2sr__plan_layout(model, options, width_px, height_px, &layout, reterr);
    if (status == SWIN2SR_OK)
        *ret_plan = layout.plan;
    return status;
}

/* The threads are started first, because the layout is for as many as could be started. */
static swin2sr_status open_parts(swin2sr_stream *stream, swin2sr_threads *threads, swin2sr__layout *layout) {
    swin2sr_status status = SWIN2SR_OK;
    if (!threads) {
        status = swin2sr__threads_start(layout->engine.threads, pthread_create, &stream->own_threads);
        threads = stream->own_threads;
    }
    if (status != SWIN2SR_OK)
        return status;
    layout->engine.threads = swin2sr__threads_count(threads);
    layout->plan.threads = (int32_t)layout->engine.threads;
    swin2sr__threads_describe_missing(threads, layout->plan.threads_note, sizeof layout->plan.threads_note);
    status = swin2sr__engine_open(swin2sr__model_packed(stream->model), threads, layout->engine_bytes, &stream->engine);
    if (status != SWIN2SR_OK)
        return status;
    if (layout->plan.columns * layout->plan.bands == 1)
        return swin2sr__engine_begin(stream->engine, &layout->engine);
    return swin2sr__tiles_new(layout, swin2sr_model_get_info(stream->model)->scale, stream->engine, &stream->tiles);
}

swin2sr_status swin2sr_stream_open(swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_on_rows on_rows, void *context,
                                   swin2sr_stream **ret_stream, swin2sr_error *reterr) {
    static const swin2sr_options defaults;
    swin2sr__layout layout;
    options = options ? options : &defaults;
    swin2sr_status status = swin2sr__plan_layout(model, options, width_px, height_px, &layout, reterr);
    if (status != SWIN2SR_OK)
        return status;
    layout.engine.on_rows = on_rows;
    layout.engine.rows_context = context;
    layout.engine.on_progress = options->on_progress;
    layout.engine.progress_context = options->progress_context;
    swin2sr_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a stream");
    stream->model = swin2sr_model_ref(model);
    stream->row_bytes = (size_t)width_px * swin2sr_pixel_bytes(options->input_pixel);
    stream->align_bytes = swin2sr_pixel_bytes(options->input_pixel) % sizeof(float) ? 1 : sizeof(float);
    status = open_parts(stream, options->shared_threads, &layout);
    if (status != SWIN2SR_OK) {
        swin2sr_stream_close(stream);
        return swin2sr__error_set(reterr, status, "no memory for %zu MiB and %u threads",
                                  layout.plan.memory_bytes >> 20, layout.engine.threads);
    }
    stream->plan = layout.plan;
    *ret_stream = stream;
    return SWIN2SR_OK;
}

const swin2sr_plan *swin2sr_stream_get_plan(const swin2sr_stream *stream) {
    return &stream->plan;
}

swin2sr_status swin2sr_stream_push(swin2sr_stream *stream, const void *rows, size_t stride_bytes, int32_t n) {
    bool is_aligned = ((uintptr_t)rows | stride_bytes) % stream->align_bytes == 0;
    if (n > 0 && (!rows || stride_bytes < stream->row_bytes || !is_aligned))
        return SWIN2SR_INVALID;
    return stream->tiles ? swin2sr__tiles_push(stream->tiles, rows, stride_bytes, n)
                         : swin2sr__engine_push(stream->engine, rows, stride_bytes, n);
}

void swin2sr_stream_close(swin2sr_stream *stream) {
    if (!stream)
        return;
    swin2sr__tiles_free(stream->tiles);
    if (stream->engine)
        stream->engine->device->close(stream->engine);
    swin2sr_threads_free(stream->own_threads);
    swin2sr_model_unref(stream->model);
    free(stream);
}
