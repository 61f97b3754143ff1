/* SPDX-License-Identifier: Apache-2.0
 * upscale/stream.c - the public stream: a plan, then an engine with its threads, whole or by tiles.
 * In: rows of pixels.  Out: enlarged rows through the caller's function. */
#include <swin2sr/stream.h>

#include <stdlib.h>

#include "base/error.h"
#include "base/pool.h"
#include "upscale/plan.h"
#include "upscale/tiles.h"

struct swin2sr_stream {
    swin2sr_model *model;
    swin2sr__pool *pool;
    swin2sr__engine *engine;
    swin2sr__tiles *tiles; /* NULL: the whole image goes through the engine */
};

swin2sr_status swin2sr_stream_plan(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_plan *ret_plan, swin2sr_error *reterr) {
    swin2sr__layout layout;
    swin2sr_status status = swin2sr__plan_layout(model, options, width_px, height_px, &layout, reterr);
    if (status == SWIN2SR_OK)
        *ret_plan = layout.plan;
    return status;
}

static swin2sr_status open_parts(swin2sr_stream *stream, const swin2sr__layout *layout) {
    swin2sr_status status = swin2sr__pool_new(layout->engine.threads, &stream->pool);
    if (status == SWIN2SR_OK)
        status = swin2sr__engine_new(swin2sr__model_network(stream->model), stream->pool, layout->engine_bytes,
                                     &stream->engine);
    if (status != SWIN2SR_OK)
        return status;
    if (layout->plan.columns * layout->plan.bands == 1)
        return swin2sr__engine_start(stream->engine, &layout->engine);
    return swin2sr__tiles_new(layout, swin2sr_model_get_info(stream->model)->scale, stream->engine, &stream->tiles);
}

swin2sr_status swin2sr_stream_open(swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_on_rows on_rows, void *context,
                                   swin2sr_stream **ret_stream, swin2sr_error *reterr) {
    swin2sr__layout layout;
    swin2sr_status status = swin2sr__plan_layout(model, options, width_px, height_px, &layout, reterr);
    if (status != SWIN2SR_OK)
        return status;
    layout.engine.on_rows = on_rows;
    layout.engine.rows_context = context;
    layout.engine.on_progress = options ? options->on_progress : NULL;
    layout.engine.progress_context = options ? options->progress_context : NULL;
    swin2sr_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a stream");
    stream->model = swin2sr_model_ref(model);
    status = open_parts(stream, &layout);
    if (status != SWIN2SR_OK) {
        swin2sr_stream_close(stream);
        return swin2sr__error_set(reterr, status, "no memory for %zu MiB and %u threads",
                                  layout.plan.memory_bytes >> 20, layout.engine.threads);
    }
    *ret_stream = stream;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr_stream_push(swin2sr_stream *stream, const void *rows, size_t stride_bytes, int32_t n) {
    return stream->tiles ? swin2sr__tiles_push(stream->tiles, rows, stride_bytes, n)
                         : swin2sr__engine_push(stream->engine, rows, stride_bytes, n);
}

void swin2sr_stream_close(swin2sr_stream *stream) {
    if (!stream)
        return;
    swin2sr__tiles_free(stream->tiles);
    swin2sr__engine_free(stream->engine);
    swin2sr__pool_free(stream->pool);
    swin2sr_model_unref(stream->model);
    free(stream);
}
