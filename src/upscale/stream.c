/* SPDX-License-Identifier: Apache-2.0
 * upscale/stream.c - the public stream: a plan, then an engine with its threads, for the whole image or for tiles.
 * In: rows of pixels.  Out: enlarged rows through the caller's function. */
#include <swin2sr/stream.h>

#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"
#include "upscale/pixels.h"
#include "upscale/tiles.h"

/* Where the caller wants the rows of an image of which this much is cut off on each side. */
typedef struct crop {
    int32_t margin_px, height_px;
    size_t margin_bytes;
    swin2sr_on_rows on_rows;
    void *context;
} crop;

struct swin2sr_stream {
    swin2sr_model *model;
    swin2sr_threads *own_threads; /* NULL: the caller's are used */
    swin2sr__engine *engine;
    swin2sr__tiles *tiles;   /* NULL: the whole image goes through the engine */
    swin2sr__pixels *pixels; /* NULL: those of the caller are those of the network */
    swin2sr__margin margin;
    swin2sr__arena margin_memory;
    crop out, aux; /* with a margin */
    swin2sr_plan plan;
    int32_t rows_left;             /* of the caller */
    size_t row_bytes, align_bytes; /* of the caller's input rows */
    size_t inside_bytes;           /* of the network's */
};

swin2sr_status swin2sr_stream_plan(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_plan *ret_plan, swin2sr_error *reterr) {
    swin2sr__layout layout;
    swin2sr_status status = swin2sr__plan_layout(model, options, width_px, height_px, &layout, reterr);
    if (status == SWIN2SR_OK)
        *ret_plan = layout.plan;
    return status;
}

static swin2sr_status crop_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    const crop *to = context;
    int32_t skip = y < to->margin_px ? to->margin_px - y : 0, end = to->margin_px + to->height_px;
    n = swin2sr__min(y + n, end) - y - skip;
    if (n <= 0)
        return SWIN2SR_OK;
    return to->on_rows(to->context, y + skip - to->margin_px, n,
                       (const char *)rows + (size_t)skip * stride_bytes + to->margin_bytes, stride_bytes);
}

static crop crop_of(const swin2sr__margin *margin, int32_t scale, swin2sr_pixel pixel, swin2sr_on_rows on_rows,
                    void *context) {
    return (crop){margin->px * scale, margin->height_px * scale,
                  (size_t)(margin->px * scale) * swin2sr_pixel_bytes(pixel), on_rows, context};
}

/* Put the crop between the engine, or the tiles, and the caller. */
static swin2sr_status open_margin(swin2sr_stream *stream, swin2sr__layout *layout) {
    swin2sr__engine_options *engine = &layout->engine;
    stream->margin = layout->margin;
    if (!stream->margin.px)
        return SWIN2SR_OK;
    swin2sr__margin_lay_out(&stream->margin, &stream->margin_memory);
    if (!swin2sr__arena_allocate(&stream->margin_memory))
        return SWIN2SR_NOMEM;
    swin2sr__margin_lay_out(&stream->margin, &stream->margin_memory);
    stream->out = crop_of(&stream->margin, swin2sr_model_get_info(stream->model)->scale, engine->output_pixel,
                          engine->on_rows, engine->rows_context);
    stream->aux = crop_of(&stream->margin, 1, engine->output_pixel, engine->on_aux_rows, engine->aux_context);
    engine->on_rows = crop_rows;
    engine->rows_context = &stream->out;
    engine->on_aux_rows = engine->on_aux_rows ? crop_rows : NULL;
    engine->aux_context = &stream->aux;
    return SWIN2SR_OK;
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
    const swin2sr_model_info *info = swin2sr_model_get_info(stream->model);
    status = swin2sr__pixels_new(layout, info->scale, info->window_px, &stream->pixels);
    if (status == SWIN2SR_OK)
        status = open_margin(stream, layout);
    if (status != SWIN2SR_OK)
        return status;
    stream->inside_bytes = (size_t)layout->margin.width_px * swin2sr_pixel_bytes(layout->engine.input_pixel);
    if (layout->plan.columns * layout->plan.bands == 1)
        return swin2sr__engine_begin(stream->engine, &layout->engine);
    return swin2sr__tiles_new(layout, info->scale, stream->engine, &stream->tiles);
}

/* One attempt with this plan. errors: _NOMEM. */
static swin2sr_status open_planned(swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr__layout *layout, swin2sr_stream **ret_stream,
                                   swin2sr_error *reterr) {
    swin2sr_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a stream");
    stream->model = swin2sr_model_ref(model);
    stream->row_bytes = (size_t)width_px * swin2sr_pixel_bytes(options->input_pixel);
    stream->rows_left = height_px;
    bool is_float = options->input_pixel == SWIN2SR_PIXEL_RGBF32 || options->input_pixel == SWIN2SR_PIXEL_GREYF32;
    stream->align_bytes = is_float ? sizeof(float) : 1;
    swin2sr_status status = open_parts(stream, options->shared_threads, layout);
    if (status != SWIN2SR_OK) {
        swin2sr_stream_close(stream);
        return swin2sr__error_set(reterr, status, "no memory for %zu MiB and %u threads",
                                  layout->plan.memory_bytes >> 20, layout->engine.threads);
    }
    stream->plan = layout->plan;
    *ret_stream = stream;
    return SWIN2SR_OK;
}

/* Memory of a GPU may be refused although the plan fits, because other programs use it too; the image is then planned for
 * half of that memory, again and again: with fewer rows per step, then in strips, until the plan refuses it. */
swin2sr_status swin2sr_stream_open(swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                   int32_t height_px, swin2sr_on_rows on_rows, void *context,
                                   swin2sr_stream **ret_stream, swin2sr_error *reterr) {
    swin2sr_options wanted = options ? *options : (swin2sr_options){0};
    bool is_shared = swin2sr__model_packed(model)->device->limit != NULL, is_again = false;
    swin2sr_status status;
    do {
        swin2sr__layout layout;
        status = swin2sr__plan_layout(model, &wanted, width_px, height_px, &layout, reterr);
        /* A cheaper plan that is refused is a lack of memory, not an image that is too large. */
        if (status != SWIN2SR_OK)
            return status == SWIN2SR_TOO_LARGE && is_again ? SWIN2SR_NOMEM : status;
        layout.engine.on_rows = on_rows;
        layout.engine.rows_context = context;
        layout.engine.on_progress = wanted.on_progress;
        layout.engine.progress_context = wanted.progress_context;
        status = open_planned(model, &wanted, width_px, height_px, &layout, ret_stream, reterr);
        wanted.memory_bytes = layout.plan.memory_bytes / 2;
        is_again = true;
    } while (status == SWIN2SR_NOMEM && is_shared && wanted.memory_bytes);
    return status;
}

const swin2sr_plan *swin2sr_stream_get_plan(const swin2sr_stream *stream) {
    return &stream->plan;
}

static swin2sr_status push_wide(void *context, const void *rows, size_t stride_bytes, int32_t n) {
    swin2sr_stream *stream = context;
    return stream->tiles ? swin2sr__tiles_push(stream->tiles, rows, stride_bytes, n)
                         : swin2sr__engine_push(stream->engine, rows, stride_bytes, n);
}

static swin2sr_status push(swin2sr_stream *stream, const void *rows, size_t stride_bytes, int32_t n) {
    return stream->margin.px ? swin2sr__margin_take(&stream->margin, rows, stride_bytes, n, push_wide, stream)
                             : push_wide(stream, rows, stride_bytes, n);
}

static swin2sr_status push_converted(swin2sr_stream *stream, const char *rows, size_t stride_bytes, int32_t n) {
    swin2sr_status status = n >= 0 && n <= stream->rows_left ? SWIN2SR_OK : SWIN2SR_INVALID;
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++) {
        const void *row;
        swin2sr__pixels_take(stream->pixels, rows + (size_t)i * stride_bytes);
        stream->rows_left--;
        while (status == SWIN2SR_OK && (row = swin2sr__pixels_next(stream->pixels)))
            status = push(stream, row, stream->inside_bytes, 1);
    }
    return status;
}

swin2sr_status swin2sr_stream_push(swin2sr_stream *stream, const void *rows, size_t stride_bytes, int32_t n) {
    bool is_aligned = ((uintptr_t)rows | stride_bytes) % stream->align_bytes == 0;
    if (n > 0 && (!rows || stride_bytes < stream->row_bytes || !is_aligned))
        return SWIN2SR_INVALID;
    return stream->pixels ? push_converted(stream, rows, stride_bytes, n) : push(stream, rows, stride_bytes, n);
}

void swin2sr_stream_close(swin2sr_stream *stream) {
    if (!stream)
        return;
    swin2sr__tiles_free(stream->tiles);
    swin2sr__pixels_free(stream->pixels);
    if (stream->engine)
        stream->engine->device->close(stream->engine);
    swin2sr_threads_free(stream->own_threads);
    swin2sr__arena_done(&stream->margin_memory);
    swin2sr_model_unref(stream->model);
    free(stream);
}
