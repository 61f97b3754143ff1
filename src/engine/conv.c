/* SPDX-License-Identifier: Apache-2.0
 * engine/conv.c - the 3x3 convolutions, each with what follows it: norm, residual, pixel shuffle (inside stage 6 of 9).
 * In: rows of a ring.  Out: rows and tiles of the next ring, or pixels.
 * A task is 64 columns of a few rows, all outputs; its weights stream past once a row. */
#include <string.h>

#include "engine/state.h"

#define ROWS_PER_TASK 2

typedef struct conv_job conv_job;
/* What follows the convolution of 64 columns: values [N][64] at row y, column x, `columns` of them real. */
typedef void (*conv_end)(const conv_job *job, float *values, int32_t y, int32_t x, int32_t columns);

struct conv_job {
    swin2sr__engine *engine;
    const row_ring *inputs[2];
    int32_t inputs_count;
    const swin2sr__linear *linear;
    float slope;
    swin2sr__span rows;
    conv_end end;
    int32_t index; /* of the group or stage */
};

static swin2sr__conv_input input_at(const swin2sr__engine *engine, const row_ring *ring, int32_t y, int32_t x) {
    swin2sr__conv_input input = {.channels = ring->channels};
    for (int32_t ky = 0; ky < 3; ky++) {
        int32_t row = y + ky - 1;
        bool is_inside = row >= 0 && row < ring->height;
        input.rows[ky] = (is_inside ? row_at(ring, row, 0) : engine->zero_row + ROW_MARGIN) + x;
        input.strides[ky] = is_inside ? ring->stride : 0;
    }
    return input;
}

static void conv_task(void *context, uint32_t task, uint32_t thread) {
    const conv_job *job = context;
    swin2sr__engine *engine = job->engine;
    int32_t width = job->inputs[0]->width, blocks = (width + LANES - 1) / LANES;
    int32_t x = (int32_t)task % blocks * LANES, y = job->rows.from + (int32_t)task / blocks * ROWS_PER_TASK;
    int32_t end = y + ROWS_PER_TASK < job->rows.to ? y + ROWS_PER_TASK : job->rows.to;
    int32_t columns = width - x < LANES ? width - x : LANES;
    float *values = engine->threads[thread].conv;
    if (!swin2sr__engine_goes_on(engine, thread))
        return;
    for (; y < end; y++) {
        swin2sr__conv_input inputs[2];
        for (int32_t i = 0; i < job->inputs_count; i++)
            inputs[i] = input_at(engine, job->inputs[i], y, x);
        engine->kernels->conv3x3(values, inputs, job->inputs_count, job->linear, job->slope,
                                 (columns + UNIT - 1) / UNIT);
        job->end(job, values, y, x, columns);
    }
}

static void run_conv(conv_job *job) {
    int32_t rows = job->rows.to - job->rows.from, blocks = (job->inputs[0]->width + LANES - 1) / LANES;
    swin2sr__pool_run(job->engine->pool, conv_task, job,
                      (uint32_t)((rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK * blocks));
}

static void store_row(const row_ring *ring, const float *values, int32_t y, int32_t x, int32_t columns) {
    float *row = row_at(ring, y, 0) + x;
    for (int32_t c = 0; c < ring->channels; c++)
        memcpy(row + (size_t)c * ring->stride, values + c * LANES, (size_t)columns * sizeof *row);
}

static void store_tiles(const tile_ring *ring, const float *values, int32_t y, int32_t x, int32_t columns) {
    for (int32_t i = 0; i < columns; i += TILE) {
        float *tile = tile_row_at(ring, y, (x + i) / TILE, 0);
        for (int32_t c = 0; c < ring->channels; c++)
            memcpy(tile + c * UNIT, values + c * LANES + i, TILE * sizeof *tile);
    }
}

/* Into the rings of group g: the rows its residual will need, the tiles its blocks work on. */
static void enter_group(const swin2sr__engine *engine, int32_t g, const float *values, int32_t y, int32_t x,
                        int32_t columns) {
    store_row(&engine->residual[g], values, y, x, columns);
    store_tiles(&engine->tiles[g], values, y, x, columns);
}

static void tap_row(const conv_job *job, swin2sr__tap_layer layer, const float *values, int32_t y, int32_t x,
                    int32_t columns) {
    const swin2sr__engine_options *options = &job->engine->options;
    int32_t py[LANES], px[LANES];
    if (!options->tap)
        return;
    for (int32_t t = 0; t < LANES; t++) {
        py[t] = t < columns ? y : -1;
        px[t] = x + t;
    }
    options->tap(options->tap_context, layer, job->index, 0, py, px, values);
}

static void end_embed(const conv_job *job, float *values, int32_t y, int32_t x, int32_t columns) {
    const swin2sr__network *network = job->engine->network;
    job->engine->kernels->layer_norm(values, network->embed_norm.gamma, network->embed_norm.beta, network->config.dim);
    tap_row(job, SWIN2SR__TAP_EMBED, values, y, x, columns);
    enter_group(job->engine, 0, values, y, x, columns);
}

void swin2sr__engine_run_embed(swin2sr__engine *engine) {
    run_conv(&(conv_job){.engine = engine,
                         .inputs = {&engine->input},
                         .inputs_count = 1,
                         .linear = &engine->network->embed,
                         .slope = 1.0f,
                         .rows = engine->schedule.embed,
                         .end = end_embed});
}

static void end_group(const conv_job *job, float *values, int32_t y, int32_t x, int32_t columns) {
    const swin2sr__engine *engine = job->engine;
    const swin2sr__network *network = engine->network;
    const row_ring *residual = &engine->residual[job->index];
    for (int32_t c = 0; c < residual->channels; c++) {
        const float *row = row_at(residual, y, c) + x;
        for (int32_t t = 0; t < columns; t++)
            values[c * LANES + t] += row[t];
    }
    tap_row(job, SWIN2SR__TAP_GROUP, values, y, x, columns);
    if (job->index + 1 < network->config.groups) {
        enter_group(engine, job->index + 1, values, y, x, columns);
    } else {
        engine->kernels->layer_norm(values, network->final_norm.gamma, network->final_norm.beta, network->config.dim);
        store_row(&engine->body, values, y, x, columns);
    }
}

void swin2sr__engine_run_group_conv(swin2sr__engine *engine, int32_t group) {
    run_conv(&(conv_job){.engine = engine,
                         .inputs = {&engine->conv_in[group]},
                         .inputs_count = 1,
                         .linear = &engine->network->groups[group].conv,
                         .slope = 1.0f,
                         .rows = engine->schedule.convs[group],
                         .end = end_group,
                         .index = group});
}

static void end_after_body(const conv_job *job, float *values, int32_t y, int32_t x, int32_t columns) {
    store_row(&job->engine->stages[0], values, y, x, columns);
}

void swin2sr__engine_run_after_body(swin2sr__engine *engine) {
    run_conv(&(conv_job){.engine = engine,
                         .inputs = {&engine->body, &engine->input},
                         .inputs_count = 2,
                         .linear = &engine->network->after_body,
                         .slope = 1.0f,
                         .rows = engine->schedule.after_body,
                         .end = end_after_body});
}

/* Pixel shuffle: channel c * r * r + dy * r + dx becomes row r * y + dy, column r * x + dx of channel c. */
static void end_stage(const conv_job *job, float *values, int32_t y, int32_t x, int32_t columns) {
    swin2sr__engine *engine = job->engine;
    int32_t r = engine->network->stages[job->index].shuffle;
    if (job->index == engine->network->stages_count - 1) {
        swin2sr__engine_put_pixels(engine, values, y, x, columns);
        return;
    }
    const row_ring *next = &engine->stages[job->index + 1];
    if (r == 1) {
        store_row(next, values, y, x, columns);
        return;
    }
    for (int32_t c = 0; c < next->channels; c++) {
        for (int32_t dy = 0; dy < r; dy++) {
            float *row = row_at(next, r * y + dy, c) + r * x;
            const float *from = values + (c * r + dy) * r * LANES;
            if (r == 2) {
                for (int32_t t = 0; t < columns; t++)
                    row[2 * t] = from[t], row[2 * t + 1] = from[LANES + t];
            } else {
                for (int32_t t = 0; t < columns * r; t++)
                    row[t] = from[t % r * LANES + t / r];
            }
        }
    }
}

void swin2sr__engine_run_stage(swin2sr__engine *engine, int32_t stage) {
    run_conv(&(conv_job){.engine = engine,
                         .inputs = {&engine->stages[stage]},
                         .inputs_count = 1,
                         .linear = &engine->network->stages[stage].conv,
                         .slope = engine->network->stages[stage].slope,
                         .rows = engine->schedule.stages[stage],
                         .end = end_stage,
                         .index = stage});
}
