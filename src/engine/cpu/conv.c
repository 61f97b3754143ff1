/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/conv.c - the 3x3 convolutions and what follows each: norm, residual, pixel shuffle (inside stage 6 of 9).
 * In: rows of a ring.  Out: rows and cells of the next ring, or pixels.
 * A task computes all outputs of 64 columns of four rows and reads the weights once. */
#include <string.h>

#include "engine/cpu/state.h"
#include "engine/sampling.h"

#define CONV_ROWS SWIN2SR__CONV_ROWS

typedef struct conv_work conv_work;
/* What follows the convolution: values [N][64] from column x of row y on, of which `columns` are inside the image. */
typedef void (*conv_end)(const conv_work *work, const swin2sr__scratch *s, float *values, int32_t y, int32_t x,
                         int32_t columns);

struct conv_work {
    swin2sr__cpu_engine *engine;
    const swin2sr__row_ring *inputs[2]; /* the second one is NULL if there is none */
    const swin2sr__linear *linear;
    const swin2sr__cpu_narrow *narrow; /* of end_narrow */
    const swin2sr__row_ring *output;   /* of end_narrow and end_store */
    bool is_pixels;                    /* inputs are floats, not words */
    float slope;
    swin2sr__span rows;
    conv_end end;
    int32_t index; /* of the group or stage */
};

static swin2sr__conv_input input_at(const swin2sr__cpu_engine *engine, const swin2sr__row_ring *ring, int32_t y,
                                    int32_t x) {
    swin2sr__conv_input input = {.channels = ring->channels};
    for (int32_t i = 0; i < SWIN2SR__CONV_INPUT_ROWS; i++) {
        int32_t row = y + i - 1;
        bool is_inside = row >= 0 && row < ring->height;
        input.rows[i] = (is_inside ? swin2sr__row_at(ring, row, 0) : engine->zero_row + SWIN2SR__ROW_MARGIN) + x;
        input.strides[i] = is_inside ? ring->stride : 0;
    }
    return input;
}

static void conv_task(void *context, uint32_t task, uint32_t thread) {
    const conv_work *work = context;
    swin2sr__cpu_engine *engine = work->engine;
    int32_t width = work->inputs[0]->width, blocks = (width + SWIN2SR__LANES - 1) / SWIN2SR__LANES;
    int32_t x = (int32_t)task % blocks * SWIN2SR__LANES, y = work->rows.from + (int32_t)task / blocks * CONV_ROWS;
    int32_t rows = work->rows.to - y < CONV_ROWS ? work->rows.to - y : CONV_ROWS;
    int32_t columns = width - x < SWIN2SR__LANES ? width - x : SWIN2SR__LANES;
    const swin2sr__scratch *s = &engine->scratch[thread];
    int32_t count = work->inputs[1] ? 2 : 1;
    swin2sr__conv_input inputs[2];
    swin2sr__conv conv = {
        inputs, count, work->linear, work->slope, rows, (columns + SWIN2SR__UNIT - 1) / SWIN2SR__UNIT, s->transformed};
    if (!swin2sr__cpu_goes_on(engine, thread))
        return;
    for (int32_t i = 0; i < count; i++)
        inputs[i] = input_at(engine, work->inputs[i], y, x);
    swin2sr__cpu_task_begin(engine);
    (work->is_pixels ? engine->kernels->conv3x3 : engine->kernels->conv3x3_panel)(s->conv, &conv);
    for (int32_t i = 0; i < rows; i++)
        work->end(work, s, s->conv + (ptrdiff_t)i * work->linear->outputs * SWIN2SR__LANES, y + i, x, columns);
    swin2sr__cpu_task_end(engine);
}

static void run_conv(conv_work *work) {
    int32_t rows = work->rows.to - work->rows.from,
            blocks = (work->inputs[0]->width + SWIN2SR__LANES - 1) / SWIN2SR__LANES;
    swin2sr__threads_run(work->engine->threads, conv_task, work,
                         (uint32_t)((rows + CONV_ROWS - 1) / CONV_ROWS * blocks));
}

static void store_row(const swin2sr__row_ring *ring, const float *values, int32_t y, int32_t x, int32_t columns) {
    float *row = swin2sr__row_at(ring, y, 0) + x;
    for (int32_t c = 0; c < ring->channels; c++)
        memcpy(row + (size_t)c * ring->stride, values + c * SWIN2SR__LANES, (size_t)columns * sizeof *row);
}

/* Add a row of a ring of floats to values. */
static void add_row(const swin2sr__row_ring *ring, float *values, int32_t y, int32_t x, int32_t columns) {
    for (int32_t c = 0; c < ring->channels; c++) {
        const float *row = swin2sr__row_at(ring, y, c) + x;
        for (int32_t t = 0; t < columns; t++)
            values[c * SWIN2SR__LANES + t] += row[t];
    }
}

/* Store pixels of row y in their cells. */
static void store_cells(const swin2sr__cell_ring *ring, const float *values, int32_t y, int32_t x, int32_t columns) {
    for (int32_t i = 0; i < columns; i += SWIN2SR__CELL) {
        float *cell = swin2sr__cell_at(ring, y / SWIN2SR__CELL, (x + i) / SWIN2SR__CELL);
        float *row = cell + y % SWIN2SR__CELL * SWIN2SR__CELL;
        for (int32_t c = 0; c < ring->channels; c++)
            memcpy(row + c * SWIN2SR__UNIT, values + c * SWIN2SR__LANES + i, SWIN2SR__CELL * sizeof *row);
    }
}

/* Store values in the rings of group g: as the input of its residual, and as the features of its blocks. */
static void enter_group(const swin2sr__cpu_engine *engine, int32_t g, const float *values, int32_t y, int32_t x,
                        int32_t columns) {
    store_row(&engine->residual[g], values, y, x, columns);
    if (swin2sr__has_cells(engine->network))
        store_cells(&engine->cells[g], values, y, x, columns);
    else
        store_row(&engine->features[g], values, y, x, columns);
}

static void tap_row(const conv_work *work, swin2sr__tap_layer layer, const float *values, int32_t y, int32_t x,
                    int32_t columns) {
    const swin2sr__engine_options *options = &work->engine->options;
    int32_t py[SWIN2SR__LANES], px[SWIN2SR__LANES];
    if (!options->tap)
        return;
    for (int32_t t = 0; t < SWIN2SR__LANES; t++) {
        py[t] = t < columns ? y : -1;
        px[t] = x + t;
    }
    options->tap(options->tap_context, layer, work->index, 0, SWIN2SR__LANES, py, px, values);
}

static void end_embed(const conv_work *work, const swin2sr__scratch *s, float *values, int32_t y, int32_t x,
                      int32_t columns) {
    const swin2sr__norm *norm = &work->engine->weights->embed_norm;
    work->engine->kernels->layer_norm(values, norm->gamma, norm->beta, work->engine->network->config.dim);
    tap_row(work, SWIN2SR__TAP_EMBED, values, y, x, columns);
    enter_group(work->engine, 0, values, y, x, columns);
}

void swin2sr__cpu_run_embed(swin2sr__cpu_engine *engine) {
    run_conv(&(conv_work){.engine = engine,
                          .inputs = {&engine->input},
                          .linear = &engine->weights->embed,
                          .is_pixels = true,
                          .slope = 1.0f,
                          .rows = engine->base.schedule.embed,
                          .end = end_embed});
}

static void end_group(const conv_work *work, const swin2sr__scratch *s, float *values, int32_t y, int32_t x,
                      int32_t columns) {
    const swin2sr__cpu_engine *engine = work->engine;
    const swin2sr__network *network = engine->network;
    add_row(&engine->residual[work->index], values, y, x, columns);
    tap_row(work, SWIN2SR__TAP_GROUP, values, y, x, columns);
    if (work->index + 1 < network->config.groups) {
        enter_group(engine, work->index + 1, values, y, x, columns);
    } else {
        const swin2sr__norm *norm = &engine->weights->final_norm;
        engine->kernels->layer_norm(values, norm->gamma, norm->beta, network->config.dim);
        store_row(&engine->body, swin2sr__panel_of(engine->kernels, s, values, network->config.dim), y, x, columns);
    }
}

static void end_store(const conv_work *work, const swin2sr__scratch *s, float *values, int32_t y, int32_t x,
                      int32_t columns) {
    store_row(work->output, swin2sr__panel_of(work->engine->kernels, s, values, work->linear->outputs), y, x, columns);
}

/* The 1x1 convolution of a narrow part, and its activation. */
static void end_narrow(const conv_work *work, const swin2sr__scratch *s, float *values, int32_t y, int32_t x,
                       int32_t columns) {
    const swin2sr__cpu_engine *engine = work->engine;
    int32_t channels = swin2sr__network_narrow(engine->network);
    const float *panel = swin2sr__panel_of(engine->kernels, s, values, channels);
    engine->kernels->linear(s->y, swin2sr__operand_of(engine->kernels, s, panel, channels), &work->narrow->point);
    for (int32_t i = 0; i < channels * SWIN2SR__LANES; i++)
        s->y[i] = s->y[i] > 0.0f ? s->y[i] : SWIN2SR__NARROW_SLOPE * s->y[i];
    store_row(work->output, swin2sr__panel_of(engine->kernels, s, s->y, channels), y, x, columns);
}

static void run_narrow(swin2sr__cpu_engine *engine, const swin2sr__cpu_narrow *narrow, const swin2sr__row_ring *input,
                       const swin2sr__row_ring *output, swin2sr__span rows) {
    run_conv(&(conv_work){.engine = engine,
                          .inputs = {input},
                          .linear = &narrow->conv,
                          .narrow = narrow,
                          .output = output,
                          .slope = SWIN2SR__NARROW_SLOPE,
                          .rows = rows,
                          .end = end_narrow});
}

void swin2sr__cpu_run_group_conv(swin2sr__cpu_engine *engine, int32_t group) {
    bool is_narrow = swin2sr__network_narrow(engine->network) > 0;
    if (is_narrow)
        run_narrow(engine, &engine->weights->groups[group].narrow, &engine->conv_in[group], &engine->narrow[group],
                   engine->base.schedule.narrows[group]);
    run_conv(&(conv_work){.engine = engine,
                          .inputs = {is_narrow ? &engine->narrow[group] : &engine->conv_in[group]},
                          .linear = &engine->weights->groups[group].conv,
                          .slope = 1.0f,
                          .rows = engine->base.schedule.convs[group],
                          .end = end_group,
                          .index = group});
}

void swin2sr__cpu_run_after_body(swin2sr__cpu_engine *engine) {
    bool is_narrow = swin2sr__network_narrow(engine->network) > 0;
    const swin2sr__row_ring *pixels = engine->kernels->pair > 1 ? &engine->input_words : &engine->input;
    if (is_narrow)
        run_narrow(engine, &engine->weights->body_narrow, &engine->body, &engine->body_narrow,
                   engine->base.schedule.body_narrow);
    run_conv(&(conv_work){.engine = engine,
                          .inputs = {is_narrow ? &engine->body_narrow : &engine->body, pixels},
                          .linear = &engine->weights->after_body,
                          .output = &engine->stages[0],
                          .slope = 1.0f,
                          .rows = engine->base.schedule.after_body,
                          .end = end_store});
}

/* Pixel shuffle: outputs (dy * r + dx) * C + c become row r * y + dy, column r * x + dx of channel c. */
static void shuffle_row(const swin2sr__cpu_engine *engine, const swin2sr__scratch *s, const float *values,
                        const swin2sr__row_ring *ring, int32_t C, int32_t r, int32_t y, int32_t x, int32_t columns) {
    int32_t count = ring->width - r * x < columns * r ? ring->width - r * x : columns * r;
    for (int32_t dy = 0; dy < r && r * y + dy < ring->height; dy++) {
        for (int32_t dx = 0; dx < r; dx++) {
            const float *panel = swin2sr__panel_of(engine->kernels, s, values + (dy * r + dx) * C * SWIN2SR__LANES, C);
            for (int32_t c = 0; c < ring->channels; c++) {
                float *row = swin2sr__row_at(ring, r * y + dy, c) + r * x + dx;
                for (int32_t t = 0; t * r < count - dx; t++)
                    row[t * r] = panel[c * SWIN2SR__LANES + t];
            }
        }
    }
}

static void end_stage(const conv_work *work, const swin2sr__scratch *s, float *values, int32_t y, int32_t x,
                      int32_t columns) {
    const swin2sr__cpu_engine *engine = work->engine;
    const swin2sr__network *network = engine->network;
    int32_t r = network->stages[work->index].shuffle;
    if (work->index < network->stages_count - 1) {
        if (work->index == SWIN2SR__AUX_STAGE && swin2sr__network_has_aux(network))
            swin2sr__cpu_put_pixels(engine, &engine->aux, values, r, y, x, columns);
        shuffle_row(engine, s, values, &engine->stages[work->index + 1], network->stages[work->index].out_channels, r,
                    y, x, columns);
        return;
    }
    if (network->config.head == SWIN2SR__HEAD_NONE) /* adds its output to its input */
        add_row(&engine->input, values, y, x, columns);
    swin2sr__cpu_put_pixels(engine, &engine->output, values, r, y, x, columns);
}

void swin2sr__cpu_run_stage(swin2sr__cpu_engine *engine, int32_t stage) {
    bool is_joined = swin2sr__network_has_aux(engine->network) && stage == engine->network->stages_count - 1;
    run_conv(&(conv_work){.engine = engine,
                          .inputs = {&engine->stages[stage], is_joined ? &engine->cubic : NULL},
                          .linear = &engine->weights->stages[stage],
                          .slope = engine->network->stages[stage].slope,
                          .rows = engine->base.schedule.stages[stage],
                          .end = end_stage,
                          .index = stage});
}

static void bicubic_task(void *context, uint32_t task, uint32_t thread) {
    const swin2sr__cpu_engine *engine = context;
    const swin2sr__row_ring *in = &engine->input, *out = &engine->bicubic;
    int32_t y = engine->base.schedule.bicubic.from + (int32_t)task, scale = engine->network->config.scale;
    int32_t rows[4], columns[4];
    float wy[4], wx[4];
    (void)thread;
    swin2sr__cubic_taps(&engine->rows, scale, y, rows, wy);
    for (int32_t x = 0; x < out->width; x++) {
        swin2sr__cubic_taps(&engine->columns, scale, x, columns, wx);
        for (int32_t c = 0; c < out->channels; c++) {
            float sum = 0.0f;
            for (int j = 0; j < 4; j++) {
                const float *row = swin2sr__row_at(in, rows[j], c);
                sum += wy[j] * (wx[0] * row[columns[0]] + wx[1] * row[columns[1]] + wx[2] * row[columns[2]] +
                                wx[3] * row[columns[3]]);
            }
            swin2sr__row_at(out, y, c)[x] = sum;
        }
    }
}

void swin2sr__cpu_run_cubic(swin2sr__cpu_engine *engine) {
    swin2sr__span rows = engine->base.schedule.bicubic;
    swin2sr__threads_run(engine->threads, bicubic_task, engine, (uint32_t)(rows.to - rows.from));
    run_conv(&(conv_work){.engine = engine,
                          .inputs = {&engine->bicubic},
                          .linear = &engine->weights->cubic,
                          .is_pixels = true,
                          .output = &engine->cubic,
                          .slope = 1.0f,
                          .rows = engine->base.schedule.cubic,
                          .end = end_store});
}
