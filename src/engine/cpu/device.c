/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/device.c - the CPU as a device: the memory and the order of its row pipeline (stage 6 of 9).
 * In: pixel rows.  Out: enlarged rows.
 * The same layout function first counts the arena and then hands it out. A step runs every layer once over the rows
 * that the schedule gives it, with a barrier after each layer. The calling thread works too. */
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/state.h"

static swin2sr__row_ring lay_rows(swin2sr__arena *arena, int32_t rows, int32_t channels, int32_t width,
                                  int32_t height) {
    swin2sr__row_ring ring = {.rows = rows, .channels = channels, .width = width, .height = height};
    ring.stride = SWIN2SR__ROW_MARGIN + (size_t)(width + SWIN2SR__UNIT - 1) / SWIN2SR__UNIT * SWIN2SR__UNIT;
    size_t channel_rows = (size_t)rows * (size_t)channels;
    ring.data = swin2sr__arena_take(arena, channel_rows * ring.stride + SWIN2SR__ROW_MARGIN, sizeof(float));
    return ring;
}

static swin2sr__cell_ring lay_cells(swin2sr__arena *arena, int32_t rows, int32_t channels, int32_t width) {
    swin2sr__cell_ring ring = {.rows = rows / SWIN2SR__CELL, .columns = width / SWIN2SR__CELL, .channels = channels};
    ring.data = swin2sr__arena_take(arena, (size_t)ring.rows * (size_t)ring.columns,
                                    (size_t)channels * SWIN2SR__UNIT * sizeof(float));
    return ring;
}

/* Rows that a convolution reads. */
static swin2sr__row_ring lay_words(const swin2sr__cpu_engine *engine, swin2sr__arena *arena, int32_t rows,
                                   int32_t channels, int32_t width, int32_t height) {
    int32_t pair = engine->weights->kernels->pair;
    return lay_rows(arena, rows, (channels + pair - 1) / pair, width, height);
}

static swin2sr__pixel_ring lay_pixels(swin2sr__arena *arena, int32_t rows, int32_t width, int32_t height,
                                      swin2sr_pixel pixel) {
    swin2sr__pixel_ring out = {.rows = rows, .width = width, .height = height};
    out.stride = (size_t)width * swin2sr_pixel_bytes(pixel);
    out.data = swin2sr__arena_take(arena, (size_t)rows, out.stride);
    return out;
}

static float *lay_block(swin2sr__arena *arena, int32_t channels) {
    return swin2sr__arena_take(arena, (size_t)channels, SWIN2SR__LANES * sizeof(float));
}

static void lay_scratch(swin2sr__cpu_engine *engine, swin2sr__arena *arena) {
    const swin2sr__config *config = &engine->network->config;
    const swin2sr__kernels *kernels = engine->weights->kernels;
    int32_t conv = config->dim,
            inputs = config->dim + config->channels * kernels->pair; /* of the convolution after the body (network.c) */
    for (int32_t i = 0; i < engine->network->stages_count; i++) {
        conv = swin2sr__max(conv, engine->weights->stages[i].outputs);
        inputs = swin2sr__max(inputs, engine->network->stages[i].in_channels);
    }
    if (swin2sr__network_has_aux(engine->network))
        inputs = swin2sr__max(inputs, 2 * config->features); /* the last stage's second input */
    int32_t panel = kernels->to_panel ? conv + 1 : 0;
    int32_t operand = swin2sr__operand_rows(kernels, config->hidden > config->dim ? config->hidden : config->dim);
    engine->scratch = swin2sr__arena_take(arena, engine->options.threads, sizeof *engine->scratch);
    for (uint32_t i = 0; i < engine->options.threads; i++) {
        swin2sr__scratch s = {0};
        s.x = lay_block(arena, config->dim);
        s.panel = lay_block(arena, panel);
        s.operand = lay_block(arena, operand);
        s.qkv = lay_block(arena, 3 * (config->dim / config->heads));
        s.scores = lay_block(arena, SWIN2SR__LANES);
        s.attended = lay_block(arena, config->dim);
        s.y = lay_block(arena, config->dim);
        s.hidden = lay_block(arena, config->hidden + 2);
        s.conv = lay_block(arena, SWIN2SR__CONV_ROWS * (conv + 2));
        s.transformed = swin2sr__arena_take(arena, swin2sr__conv_scratch(kernels, inputs), sizeof(float));
        s.unused_cell = swin2sr__arena_take(arena, (size_t)config->dim, SWIN2SR__UNIT * sizeof(float));
        if (engine->scratch)
            engine->scratch[i] = s;
    }
}

/* Every byte of a stream, in order. Runs twice: to count, and to hand out. */
static void lay_out(swin2sr__cpu_engine *engine, swin2sr__arena *arena, const swin2sr__ring_rows *rows) {
    const swin2sr__network *network = engine->network;
    const swin2sr__engine_options *options = &engine->options;
    int32_t C = network->config.dim, H = engine->H, W = engine->W, scale = 1, channels = network->config.channels;
    /* Padding rows mirror up to a window and one row more; the rows that they mirror must still be in the ring. */
    engine->input = lay_rows(arena, rows->input + 2 * network->config.window_px, channels, W, H);
    if (engine->weights->kernels->pair > 1)
        engine->input_words = lay_rows(arena, engine->input.rows, channels, W, H);
    for (int32_t g = 0; g < network->config.groups; g++) {
        if (swin2sr__has_cells(network))
            engine->cells[g] = lay_cells(arena, rows->features[g], C, W);
        else
            engine->features[g] = lay_rows(arena, rows->features[g], C, W, H);
        engine->conv_in[g] = lay_words(engine, arena, rows->conv_in[g], C, W, H);
        engine->narrow[g] = lay_words(engine, arena, rows->narrow[g], swin2sr__network_narrow(network), W, H);
        engine->residual[g] = lay_rows(arena, rows->residual[g], C, W, H);
    }
    engine->body = lay_words(engine, arena, rows->body, C, W, H);
    engine->body_narrow = lay_words(engine, arena, rows->body_narrow, swin2sr__network_narrow(network), W, H);
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
    engine->zero_row =
        swin2sr__arena_take(arena, (size_t)W * (size_t)scale + 2 * SWIN2SR__ROW_MARGIN + SWIN2SR__UNIT, sizeof(float));
    engine->zero_cell = swin2sr__arena_take(arena, (size_t)C, SWIN2SR__UNIT * sizeof(float));
    lay_scratch(engine, arena);
}

static void set_network(swin2sr__cpu_engine *engine, const swin2sr__packed *packed) {
    engine->network = &packed->network;
    engine->weights = (const swin2sr__cpu_network *)packed;
    engine->kernels = engine->weights->kernels;
}

static swin2sr__ring_rows prepare(swin2sr__cpu_engine *engine, const swin2sr__engine_options *options) {
    const swin2sr__network *network = engine->network;
    engine->options = *options;
    engine->rows = swin2sr__side_of(network, options->pad, options->height_px, options->y_px, options->whole_height_px);
    engine->columns =
        swin2sr__side_of(network, options->pad, options->width_px, options->x_px, options->whole_width_px);
    engine->H = engine->rows.padded;
    engine->W = engine->columns.padded;
    return swin2sr__schedule_measure(network, &engine->rows, options->rows);
}

static swin2sr__engine_bytes measure(const swin2sr__packed *packed, const swin2sr__engine_options *options,
                                     int32_t *ret_latency_rows) {
    swin2sr__cpu_engine engine = {0};
    set_network(&engine, packed);
    swin2sr__ring_rows rows = prepare(&engine, options);
    lay_out(&engine, &engine.memory, &rows);
    *ret_latency_rows = swin2sr__min(rows.latency, options->height_px);
    return (swin2sr__engine_bytes){engine.memory.is_overflown ? SIZE_MAX : engine.memory.used, 0};
}

static swin2sr_status open_engine(const swin2sr__packed *packed, swin2sr_threads *threads, swin2sr__engine_bytes bytes,
                                  swin2sr__engine **ret_engine) {
    swin2sr__cpu_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return SWIN2SR_NOMEM;
    set_network(engine, packed);
    engine->threads = threads;
    engine->memory.used = bytes.own;
    if (!swin2sr__arena_allocate(&engine->memory)) {
        free(engine);
        return SWIN2SR_NOMEM;
    }
    *ret_engine = &engine->base;
    return SWIN2SR_OK;
}

static swin2sr_status begin(swin2sr__engine *base, const swin2sr__engine_options *options) {
    swin2sr__cpu_engine *engine = (swin2sr__cpu_engine *)base;
    swin2sr__ring_rows rows = prepare(engine, options);
    if (engine->is_used) /* margins and padding columns must be zero */
        memset(engine->memory.base, 0, engine->memory.size);
    engine->is_used = true;
    engine->memory.used = 0;
    engine->memory.is_overflown = false;
    lay_out(engine, &engine->memory, &rows);
    engine->progress_us = 0;
    atomic_store(&engine->is_cancelled, false);
    swin2sr__schedule_init(&engine->base.schedule, engine->network, &engine->rows, options->rows);
    return engine->memory.is_overflown ? SWIN2SR_NOMEM : SWIN2SR_OK;
}

static void push_row(swin2sr__engine *base, const void *row) {
    swin2sr__cpu_take_row((swin2sr__cpu_engine *)base, row);
}

static void pad_row(swin2sr__engine *base) {
    swin2sr__cpu_pad_row((swin2sr__cpu_engine *)base);
}

/* Pass on the rows that this piece of the head has finished, of the second image too if there is one. */
static swin2sr_status emit_rows(const swin2sr__cpu_engine *engine) {
    const swin2sr__engine_options *options = &engine->options;
    int32_t last = engine->network->stages_count - 1, r = engine->network->stages[last].shuffle;
    swin2sr__span span = engine->base.schedule.stages[last];
    swin2sr_status status = SWIN2SR_OK;
    if (options->on_aux_rows && swin2sr__network_has_aux(engine->network))
        status = swin2sr__cpu_emit(&engine->aux, engine->base.schedule.stages[SWIN2SR__AUX_STAGE], options->on_aux_rows,
                                   options->aux_context);
    if (status == SWIN2SR_OK)
        status = swin2sr__cpu_emit(&engine->output, (swin2sr__span){span.from * r, span.to * r}, options->on_rows,
                                   options->rows_context);
    return status;
}

static swin2sr_status run_head(swin2sr__cpu_engine *engine) {
    int32_t last = engine->network->stages_count - 1;
    while (swin2sr__schedule_head(&engine->base.schedule)) {
        for (int32_t i = 0; i < last; i++)
            swin2sr__cpu_run_stage(engine, i);
        if (swin2sr__network_has_aux(engine->network))
            swin2sr__cpu_run_cubic(engine);
        swin2sr__cpu_run_stage(engine, last);
        if (atomic_load(&engine->is_cancelled))
            return SWIN2SR_CANCELLED;
        swin2sr_status status = emit_rows(engine);
        if (status != SWIN2SR_OK)
            return status;
    }
    return SWIN2SR_OK;
}

static swin2sr_status run_step(swin2sr__engine *base) {
    swin2sr__cpu_engine *engine = (swin2sr__cpu_engine *)base;
    swin2sr__cpu_run_embed(engine);
    for (int32_t g = 0; g < engine->network->config.groups; g++) {
        for (int32_t b = 0; b < engine->network->config.depths[g]; b++)
            swin2sr__cpu_run_block(engine, g, b);
        swin2sr__cpu_run_group_conv(engine, g);
    }
    swin2sr__cpu_run_after_body(engine);
    swin2sr_status status = run_head(engine);
    if (status != SWIN2SR_OK)
        return status;
    return swin2sr__cpu_report_progress(engine) ? SWIN2SR_OK : SWIN2SR_CANCELLED;
}

static void close_engine(swin2sr__engine *base) {
    swin2sr__cpu_engine *engine = (swin2sr__cpu_engine *)base;
    swin2sr__arena_done(&engine->memory);
    free(engine);
}

const swin2sr__device swin2sr__device_cpu = {
    .pack = swin2sr__cpu_pack,
    .unpack = swin2sr__cpu_unpack,
    .measure = measure,
    .open = open_engine,
    .begin = begin,
    .push = push_row,
    .pad = pad_row,
    .run = run_step,
    .close = close_engine,
};
