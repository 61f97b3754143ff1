/* SPDX-License-Identifier: Apache-2.0
 * engine/engine.c - memory and order of the row pipeline (stage 6 of 9).
 * In: pixel rows.  Out: enlarged rows.  Layout counts and hands out the arena with one function; a step runs every
 * layer once over the rows the schedule gives it, a barrier after each. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/state.h"

#define PROGRESS_US 20000

int32_t swin2sr__engine_padded(const swin2sr__network *network, int32_t side_px, swin2sr_pad pad) {
    int32_t window = network->config.window_px;
    return pad == SWIN2SR_PAD_SYMMETRIC_ALWAYS ? (side_px / window + 1) * window
                                               : (side_px + window - 1) / window * window;
}

static row_ring lay_rows(swin2sr__arena *arena, int32_t rows, int32_t channels, int32_t width, int32_t height) {
    row_ring ring = {.rows = rows, .channels = channels, .width = width, .height = height};
    ring.stride = ROW_MARGIN + (size_t)(width + UNIT - 1) / UNIT * UNIT;
    size_t channel_rows = (size_t)rows * (size_t)channels;
    ring.data = swin2sr__arena_take(arena, channel_rows * ring.stride + ROW_MARGIN, sizeof(float));
    return ring;
}

static tile_ring lay_tiles(swin2sr__arena *arena, int32_t rows, int32_t channels, int32_t width) {
    tile_ring ring = {.rows = rows / TILE, .columns = width / TILE, .channels = channels};
    ring.data =
        swin2sr__arena_take(arena, (size_t)ring.rows * (size_t)ring.columns, (size_t)channels * UNIT * sizeof(float));
    return ring;
}

/* Rows for a convolution to read. */
static row_ring lay_words(const swin2sr__engine *engine, swin2sr__arena *arena, int32_t rows, int32_t channels,
                          int32_t width, int32_t height) {
    int32_t pair = engine->network->kernels->pair;
    return lay_rows(arena, rows, (channels + pair - 1) / pair, width, height);
}

static pixel_rows lay_pixels(swin2sr__arena *arena, int32_t rows, int32_t width, int32_t height, swin2sr_pixel pixel) {
    pixel_rows out = {.rows = rows, .width = width, .height = height};
    out.stride = (size_t)width * swin2sr_pixel_bytes(pixel);
    out.data = swin2sr__arena_take(arena, (size_t)rows, out.stride);
    return out;
}

static float *lay_block(swin2sr__arena *arena, int32_t channels) {
    return swin2sr__arena_take(arena, (size_t)channels, LANES * sizeof(float));
}

static void lay_scratch(swin2sr__engine *engine, swin2sr__arena *arena) {
    const swin2sr__config *config = &engine->network->config;
    const swin2sr__kernels *kernels = engine->network->kernels;
    int32_t conv = config->dim, inputs = config->dim + config->channels; /* of the convolution after the body */
    for (int32_t i = 0; i < engine->network->stages_count; i++) {
        conv = max(conv, engine->network->stages[i].conv.outputs);
        inputs = max(inputs, engine->network->stages[i].in_channels);
    }
    if (swin2sr__network_has_aux(engine->network))
        inputs = max(inputs, 2 * config->features); /* the last stage's second input */
    int32_t panel = kernels->to_panel ? conv + 1 : 0;
    int32_t operand = swin2sr__operand_rows(kernels, config->hidden > config->dim ? config->hidden : config->dim);
    engine->threads = swin2sr__arena_take(arena, engine->options.threads, sizeof *engine->threads);
    for (uint32_t i = 0; i < engine->options.threads; i++) {
        scratch s = {0};
        s.x = lay_block(arena, config->dim);
        s.panel = lay_block(arena, panel);
        s.operand = lay_block(arena, operand);
        s.qkv = lay_block(arena, 3 * (config->dim / config->heads));
        s.scores = lay_block(arena, LANES);
        s.attended = lay_block(arena, config->dim);
        s.y = lay_block(arena, config->dim);
        s.hidden = lay_block(arena, config->hidden + 2);
        s.conv = lay_block(arena, SWIN2SR__CONV_ROWS * (conv + 2));
        s.transformed = swin2sr__arena_take(arena, swin2sr__conv_scratch(kernels, inputs), sizeof(float));
        s.unused_tile = swin2sr__arena_take(arena, (size_t)config->dim, UNIT * sizeof(float));
        if (engine->threads)
            engine->threads[i] = s;
    }
}

/* Every byte of a stream, in order. Runs twice: counting, then for real. */
static void lay_out(swin2sr__engine *engine, swin2sr__arena *arena, const swin2sr__ring_rows *rows) {
    const swin2sr__network *network = engine->network;
    const swin2sr__engine_options *options = &engine->options;
    int32_t C = network->config.dim, H = engine->H, W = engine->W, scale = 1, channels = network->config.channels;
    /* Padding rows mirror rows up to one window and a row back: they must still be there. */
    engine->input = lay_rows(arena, rows->input + 2 * network->config.window_px, channels, W, H);
    if (network->kernels->pair > 1)
        engine->input_words = lay_rows(arena, engine->input.rows, channels, W, H);
    for (int32_t g = 0; g < network->config.groups; g++) {
        if (swin2sr__network_is_tiled(network))
            engine->tiles[g] = lay_tiles(arena, rows->features[g], C, W);
        else
            engine->features[g] = lay_rows(arena, rows->features[g], C, W, H);
        engine->conv_in[g] = lay_words(engine, arena, rows->conv_in[g], C, W, H);
        engine->narrow[g] = lay_words(engine, arena, rows->narrow[g], network->groups[g].narrow.channels, W, H);
        engine->residual[g] = lay_rows(arena, rows->residual[g], C, W, H);
    }
    engine->body = lay_words(engine, arena, rows->body, C, W, H);
    engine->body_narrow = lay_words(engine, arena, rows->body_narrow, network->body_narrow.channels, W, H);
    for (int32_t i = 0; i < network->stages_count; i++) {
        const swin2sr__stage *stage = &network->stages[i];
        engine->stages[i] = lay_words(engine, arena, rows->stages[i], stage->in_channels, W * scale, H * scale);
        scale *= stage->shuffle;
    }
    int32_t out_width = options->width_px * network->config.scale,
            out_height = options->height_px * network->config.scale;
    engine->output = lay_pixels(arena, rows->output, out_width, out_height, options->output_pixel);
    if (swin2sr__network_has_aux(network)) {
        engine->stages[network->stages_count - 1].width = out_width; /* cropped before the last convolution */
        engine->stages[network->stages_count - 1].height = out_height;
        engine->bicubic = lay_rows(arena, rows->bicubic, channels, out_width, out_height);
        engine->cubic = lay_words(engine, arena, rows->cubic, network->config.features, out_width, out_height);
        engine->aux = lay_pixels(arena, rows->aux, options->width_px, options->height_px, options->output_pixel);
    }
    engine->zero_row = swin2sr__arena_take(arena, (size_t)W * (size_t)scale + 2 * ROW_MARGIN + UNIT, sizeof(float));
    engine->zero_tile = swin2sr__arena_take(arena, (size_t)C, UNIT * sizeof(float));
    lay_scratch(engine, arena);
}

static swin2sr__side side_of(const swin2sr__engine *engine, int32_t px, int32_t offset, int32_t whole_px) {
    swin2sr__side side = {.px = px, .offset = offset, .whole_px = whole_px ? whole_px : px};
    side.padded = swin2sr__engine_padded(engine->network, side.px, engine->options.pad);
    side.whole_padded = swin2sr__engine_padded(engine->network, side.whole_px, engine->options.pad);
    return side;
}

static swin2sr__ring_rows prepare(swin2sr__engine *engine, const swin2sr__engine_options *options) {
    engine->options = *options;
    engine->rows = side_of(engine, options->height_px, options->y_px, options->whole_height_px);
    engine->columns = side_of(engine, options->width_px, options->x_px, options->whole_width_px);
    engine->H = engine->rows.padded;
    engine->W = engine->columns.padded;
    return swin2sr__schedule_measure(engine->network, &engine->rows, options->rows);
}

size_t swin2sr__engine_measure(const swin2sr__network *network, const swin2sr__engine_options *options,
                               int32_t *ret_latency_rows) {
    swin2sr__engine engine = {.network = network};
    swin2sr__ring_rows rows = prepare(&engine, options);
    lay_out(&engine, &engine.memory, &rows);
    *ret_latency_rows = rows.latency < options->height_px ? rows.latency : options->height_px;
    return engine.memory.is_overflown ? SIZE_MAX : engine.memory.used;
}

swin2sr_status swin2sr__engine_new(const swin2sr__network *network, swin2sr__pool *pool, size_t bytes,
                                   swin2sr__engine **ret_engine) {
    swin2sr__engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return SWIN2SR_NOMEM;
    engine->network = network;
    engine->kernels = network->kernels;
    engine->pool = pool;
    engine->memory.used = bytes;
    if (!swin2sr__arena_allocate(&engine->memory)) {
        free(engine);
        return SWIN2SR_NOMEM;
    }
    *ret_engine = engine;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__engine_start(swin2sr__engine *engine, const swin2sr__engine_options *options) {
    swin2sr__ring_rows rows = prepare(engine, options);
    if (engine->is_used) /* margins and padding columns must be zero again */
        memset(engine->memory.base, 0, engine->memory.size);
    engine->is_used = true;
    engine->memory.used = 0;
    engine->memory.is_overflown = false;
    lay_out(engine, &engine->memory, &rows);
    engine->pushed = engine->available = 0;
    engine->progress_us = 0;
    atomic_store(&engine->is_cancelled, false);
    swin2sr__schedule_init(&engine->schedule, engine->network, &engine->rows, options->rows);
    engine->status = engine->memory.is_overflown ? SWIN2SR_NOMEM : SWIN2SR_OK;
    return engine->status;
}

void swin2sr__engine_free(swin2sr__engine *engine) {
    if (!engine)
        return;
    swin2sr__arena_done(&engine->memory);
    free(engine);
}

static bool report_progress(swin2sr__engine *engine, double done) {
    const swin2sr__engine_options *options = &engine->options;
    if (options->on_progress && !options->on_progress(options->progress_context, done))
        atomic_store(&engine->is_cancelled, true);
    return !atomic_load_explicit(&engine->is_cancelled, memory_order_relaxed);
}

bool swin2sr__engine_goes_on(swin2sr__engine *engine, uint32_t thread) {
    if (thread == 0 && engine->options.on_progress) {
        uint64_t now_us = swin2sr__clock_us();
        if (now_us - engine->progress_us >= PROGRESS_US) {
            engine->progress_us = now_us;
            report_progress(engine, swin2sr__schedule_progress(&engine->schedule));
        }
    }
    return !atomic_load_explicit(&engine->is_cancelled, memory_order_relaxed);
}

/* The rows that this piece of the head has finished, of both images where there are two. */
static swin2sr_status emit_rows(const swin2sr__engine *engine) {
    const swin2sr__engine_options *options = &engine->options;
    int32_t last = engine->network->stages_count - 1, r = engine->network->stages[last].shuffle;
    swin2sr__span span = engine->schedule.stages[last];
    if (options->on_aux_rows && swin2sr__network_has_aux(engine->network)) {
        swin2sr_status status = swin2sr__engine_emit(&engine->aux, engine->schedule.stages[SWIN2SR__AUX_STAGE],
                                                     options->on_aux_rows, options->aux_context);
        if (status != SWIN2SR_OK)
            return status;
    }
    return swin2sr__engine_emit(&engine->output, (swin2sr__span){span.from * r, span.to * r}, options->on_rows,
                                options->rows_context);
}

static swin2sr_status run_head(swin2sr__engine *engine) {
    while (swin2sr__schedule_head(&engine->schedule)) {
        int32_t last = engine->network->stages_count - 1;
        for (int32_t i = 0; i < last; i++)
            swin2sr__engine_run_stage(engine, i);
        if (swin2sr__network_has_aux(engine->network))
            swin2sr__engine_run_cubic(engine);
        swin2sr__engine_run_stage(engine, last);
        if (atomic_load(&engine->is_cancelled))
            return SWIN2SR_CANCELLED;
        swin2sr_status status = emit_rows(engine);
        if (status != SWIN2SR_OK)
            return status;
    }
    return SWIN2SR_OK;
}

static swin2sr_status run_step(swin2sr__engine *engine) {
    swin2sr__engine_run_embed(engine);
    for (int32_t g = 0; g < engine->network->config.groups; g++) {
        for (int32_t b = 0; b < engine->network->groups[g].depth; b++)
            swin2sr__engine_run_block(engine, g, b);
        swin2sr__engine_run_group_conv(engine, g);
    }
    swin2sr__engine_run_after_body(engine);
    swin2sr_status status = run_head(engine);
    if (status != SWIN2SR_OK)
        return status;
    return report_progress(engine, swin2sr__schedule_progress(&engine->schedule)) ? SWIN2SR_OK : SWIN2SR_CANCELLED;
}

static swin2sr_status run_steps(swin2sr__engine *engine) {
    while (swin2sr__schedule_step(&engine->schedule, engine->available)) {
        swin2sr_status status = run_step(engine);
        if (status != SWIN2SR_OK)
            return status;
    }
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__engine_push(swin2sr__engine *engine, const void *rows, size_t stride_bytes, int32_t n) {
    if (engine->status != SWIN2SR_OK)
        return engine->status;
    if (n < 0 || n > engine->options.height_px - engine->pushed)
        return engine->status = SWIN2SR_INVALID;
    for (int32_t i = 0; i < n && engine->status == SWIN2SR_OK; i++) {
        swin2sr__engine_take_row(engine, (const char *)rows + (size_t)i * stride_bytes);
        engine->pushed++;
        if (engine->pushed == engine->options.height_px) {
            while (engine->available < engine->H && engine->status == SWIN2SR_OK) {
                swin2sr__engine_pad_row(engine);
                if (engine->available < engine->H)
                    engine->status = run_steps(engine);
            }
        }
        if (engine->status == SWIN2SR_OK)
            engine->status = run_steps(engine);
    }
    return engine->status;
}
