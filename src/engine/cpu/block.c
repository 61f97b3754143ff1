/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/block.c - one Swin V2 block over rows of windows, in place (inside stage 6 of 9).
 * In: features of the group's ring.  Out: the same features, or rows of conv_in after the last block of the group.
 * A pass computes 64 lanes. A window of 8 is four cells. At the edges of a shifted block there are half windows and
 * corners: two halves, or a half and two corners, share a pass, and regions keep them apart. A smaller window takes a
 * pass of its own and is read from plain rows. Tokens that the cyclic shift would bring from the opposite edge would
 * get a weight of exactly 0, so they are left out. */
#include <string.h>

#include "engine/cpu/state.h"

typedef struct window_pass {
    int32_t row[4], column[4]; /* of each cell; row < 0: no cell */
    int32_t y, x;              /* first pixel of a plain window; outside the plane at the edges of a shifted block */
    const uint8_t *region;     /* [64]; NULL: all lanes belong to one window */
} window_pass;

typedef struct block_work {
    swin2sr__cpu_engine *engine;
    const swin2sr__cpu_block *block;
    int32_t group, index;
    bool has_cells;
    int32_t before;         /* pixels that the first windows of a shifted block lack */
    int32_t first_row;      /* first row of windows */
    int32_t passes_per_row; /* the maximum over the rows of windows */
    int32_t passes_per_task;
    int32_t tasks_per_row;
} block_work;

#define SLOT(r) r, r, r, r, r, r, r, r, r, r, r, r, r, r, r, r
static const uint8_t region_rows[SWIN2SR__LANES] = {SLOT(0), SLOT(0), SLOT(1),
                                                    SLOT(1)}; /* two half windows, 8 x 4 pixels */
static const uint8_t region_columns[SWIN2SR__LANES] = {SLOT(0), SLOT(1), SLOT(0),
                                                       SLOT(1)}; /* two half windows, 4 x 8 pixels */
static const uint8_t region_corners[SWIN2SR__LANES] = {SLOT(0), SLOT(0), SLOT(1),
                                                       SLOT(2)}; /* a half window, two corners */

static void set_cell(window_pass *pass, int32_t slot, int32_t row, int32_t column) {
    pass->row[slot] = row;
    pass->column[slot] = column;
}

/* A pass over two cells of column left and two of column right, in rows row and row + 1. */
static void set_square(window_pass *pass, int32_t row, int32_t left, int32_t right, const uint8_t *region) {
    for (int32_t slot = 0; slot < 4; slot++)
        set_cell(pass, slot, row + slot / 2, slot % 2 ? right : left);
    pass->region = region;
}

/* Pass i of the top or bottom row of half windows: pairs of halves, then both corners with the odd half, if any. */
static bool half_row_pass(window_pass *pass, int32_t i, int32_t row, int32_t columns) {
    int32_t halves = (columns - 2) / 2;
    if (i > halves / 2)
        return false;
    for (int32_t slot = 0; slot < 4; slot++)
        set_cell(pass, slot, row, 1 + 4 * i + slot);
    pass->region = region_rows;
    if (i == halves / 2) {
        pass->region = region_corners;
        set_cell(pass, 2, row, 0);
        set_cell(pass, 3, row, columns - 1);
        if (halves % 2 == 0)
            pass->row[0] = pass->row[1] = -1;
    }
    return true;
}

/* Pass i of a row of windows that consist of cells; false after the last pass. */
static bool find_cells(window_pass *pass, bool is_shifted, int32_t window_row, int32_t i, int32_t rows,
                       int32_t columns) {
    int32_t row = 2 * window_row - (is_shifted ? 1 : 0);
    if (is_shifted && (row < 0 || row == rows - 1))
        return half_row_pass(pass, i, row < 0 ? 0 : row, columns);
    if (i >= columns / 2)
        return false;
    if (!is_shifted)
        set_square(pass, row, 2 * i, 2 * i + 1, NULL);
    else if (i == 0)
        set_square(pass, row, 0, columns - 1, region_columns); /* the half windows at both edges */
    else
        set_square(pass, row, 2 * i - 1, 2 * i, NULL);
    return true;
}

/* The part of row r of a plain window that lies in the plane, in columns of the window. */
static swin2sr__span columns_inside(const swin2sr__cpu_engine *engine, const window_pass *pass, int32_t r) {
    int32_t window = engine->network->config.window_px, y = pass->y + r, right = engine->W - pass->x;
    if (y < 0 || y >= engine->H)
        return (swin2sr__span){0, 0};
    return (swin2sr__span){pass->x < 0 ? -pass->x : 0, right < window ? right : window};
}

/* Pass i of a row of plain windows. Token t is in lane t, in reading order. Other lanes form a region, with the key
 * that rounds an odd count up, so that their softmax is not empty either. */
static bool find_plain(const block_work *work, window_pass *pass, int32_t window_row, int32_t i, uint8_t *region) {
    int32_t window = work->engine->network->config.window_px;
    pass->y = window_row * window - work->before;
    pass->x = i * window - work->before;
    if (pass->x >= work->engine->W)
        return false;
    memset(region, 0, SWIN2SR__LANES);
    memset(region, 1, (size_t)work->block->attention[0].keys);
    for (int32_t r = 0; r < window; r++) {
        swin2sr__span columns = columns_inside(work->engine, pass, r);
        memset(region + r * window + columns.from, 0, (size_t)(columns.to - columns.from));
    }
    pass->region = region;
    return true;
}

/* Attention, projection, norm, MLP, norm, on x [C][64] in place. */
static void compute_window(const swin2sr__cpu_engine *engine, const swin2sr__cpu_block *block, const uint8_t *region,
                           swin2sr__scratch *s) {
    const swin2sr__kernels *kernels = engine->kernels;
    int32_t C = engine->network->config.dim, A = engine->network->config.heads, D = C / A;
    const float *operand = swin2sr__operand_of(kernels, s, swin2sr__panel_of(kernels, s, s->x, C), C);
    for (int32_t a = 0; a < A; a++) {
        kernels->linear(s->qkv, operand, &block->qkv[a]);
        kernels->attention(s->attended + a * D / kernels->pair * SWIN2SR__LANES, s->qkv, &block->attention[a], region,
                           s->scores);
    }
    kernels->linear_squares(s->y, s->squares, swin2sr__operand_of(kernels, s, s->attended, C), &block->proj);
    kernels->norm_add(s->x, s->y, s->squares, block->norm1.gamma, block->norm1.beta, C);
    operand = swin2sr__operand_of(kernels, s, swin2sr__panel_of(kernels, s, s->x, C), C);
    kernels->linear_gelu(s->hidden, operand, &block->fc1);
    operand = swin2sr__operand_of(kernels, s, s->hidden, block->fc2.inputs);
    kernels->linear_squares(s->y, s->squares, operand, &block->fc2);
    kernels->norm_add(s->x, s->y, s->squares, block->norm2.gamma, block->norm2.beta, C);
}

/* Store a panel of cells in the rows that the group's convolution reads. */
static void store_cells(const swin2sr__row_ring *ring, const window_pass *pass, const float *panel) {
    for (int32_t slot = 0; slot < 4; slot++) {
        if (pass->row[slot] < 0)
            continue;
        for (int32_t r = 0; r < SWIN2SR__CELL; r++) {
            float *row =
                swin2sr__row_at(ring, pass->row[slot] * SWIN2SR__CELL + r, 0) + pass->column[slot] * SWIN2SR__CELL;
            const float *from = panel + slot * SWIN2SR__UNIT + r * SWIN2SR__CELL;
            for (int32_t c = 0; c < ring->channels; c++)
                memcpy(row + (size_t)c * ring->stride, from + c * SWIN2SR__LANES, SWIN2SR__CELL * sizeof *row);
        }
    }
}

/* Load the pixels of a plain window from the rows of a ring as x [C][64]; lanes without a token are 0. */
static void load_plain(const swin2sr__cpu_engine *engine, const swin2sr__row_ring *ring, const window_pass *pass,
                       float *x) {
    int32_t window = engine->network->config.window_px;
    memset(x, 0, (size_t)ring->channels * SWIN2SR__LANES * sizeof *x);
    for (int32_t r = 0; r < window; r++) {
        swin2sr__span columns = columns_inside(engine, pass, r);
        for (int32_t c = 0; c < ring->channels && columns.to; c++)
            memcpy(x + c * SWIN2SR__LANES + r * window + columns.from,
                   swin2sr__row_at(ring, pass->y + r, c) + pass->x + columns.from,
                   (size_t)(columns.to - columns.from) * sizeof *x);
    }
}

/* Store the lanes of a plain window in the rows of a ring. */
static void store_plain(const swin2sr__cpu_engine *engine, const swin2sr__row_ring *ring, const window_pass *pass,
                        const float *x) {
    int32_t window = engine->network->config.window_px;
    for (int32_t r = 0; r < window; r++) {
        swin2sr__span columns = columns_inside(engine, pass, r);
        for (int32_t c = 0; c < ring->channels && columns.to; c++)
            memcpy(swin2sr__row_at(ring, pass->y + r, c) + pass->x + columns.from,
                   x + c * SWIN2SR__LANES + r * window + columns.from, (size_t)(columns.to - columns.from) * sizeof *x);
    }
}

static void tap_window(const block_work *work, const window_pass *pass, const float *x) {
    const swin2sr__engine_options *options = &work->engine->options;
    int32_t py[SWIN2SR__LANES], px[SWIN2SR__LANES], window = work->engine->network->config.window_px;
    for (int32_t t = 0; t < SWIN2SR__LANES; t++) {
        if (work->has_cells) {
            py[t] = pass->row[t / SWIN2SR__UNIT] < 0
                        ? -1
                        : pass->row[t / SWIN2SR__UNIT] * SWIN2SR__CELL + t % SWIN2SR__UNIT / SWIN2SR__CELL;
            px[t] = pass->column[t / SWIN2SR__UNIT] * SWIN2SR__CELL + t % SWIN2SR__CELL;
        } else {
            swin2sr__span columns = columns_inside(work->engine, pass, t / window);
            bool is_there = t < window * window && t % window >= columns.from && t % window < columns.to;
            py[t] = is_there ? pass->y + t / window : -1;
            px[t] = pass->x + t % window;
        }
    }
    options->tap(options->tap_context, SWIN2SR__TAP_BLOCK, work->group, work->index, SWIN2SR__LANES, py, px, x);
}

static bool is_last_of_group(const block_work *work) {
    return work->index == work->engine->network->config.depths[work->group] - 1;
}

static void run_cells(const block_work *work, const window_pass *pass, swin2sr__scratch *s) {
    swin2sr__cpu_engine *engine = work->engine;
    const swin2sr__cell_ring *ring = &engine->cells[work->group];
    const float *from[4];
    float *to[4];
    for (int32_t slot = 0; slot < 4; slot++) {
        bool is_there = pass->row[slot] >= 0;
        from[slot] = to[slot] = is_there ? swin2sr__cell_at(ring, pass->row[slot], pass->column[slot]) : s->unused_cell;
        if (!is_there)
            from[slot] = engine->zero_cell;
    }
    engine->kernels->gather(s->x, from, ring->channels);
    compute_window(engine, work->block, pass->region, s);
    if (is_last_of_group(work))
        store_cells(&engine->conv_in[work->group], pass, swin2sr__panel_of(engine->kernels, s, s->x, ring->channels));
    else
        engine->kernels->scatter(to, s->x, ring->channels);
}

static void run_plain(const block_work *work, const window_pass *pass, swin2sr__scratch *s) {
    swin2sr__cpu_engine *engine = work->engine;
    const swin2sr__row_ring *features = &engine->features[work->group];
    load_plain(engine, features, pass, s->x);
    compute_window(engine, work->block, pass->region, s);
    if (is_last_of_group(work))
        store_plain(engine, &engine->conv_in[work->group], pass,
                    swin2sr__panel_of(engine->kernels, s, s->x, features->channels));
    else
        store_plain(engine, features, pass, s->x);
}

static void run_passes(const block_work *work, int32_t window_row, int32_t first, swin2sr__scratch *s) {
    swin2sr__cpu_engine *engine = work->engine;
    window_pass pass;
    for (int32_t i = first; i < first + work->passes_per_task; i++) {
        bool is_found = work->has_cells ? find_cells(&pass, swin2sr__network_is_shifted(work->index), window_row, i,
                                                     engine->H / SWIN2SR__CELL, engine->W / SWIN2SR__CELL)
                                        : find_plain(work, &pass, window_row, i, s->region);
        if (!is_found)
            return;
        if (work->has_cells)
            run_cells(work, &pass, s);
        else
            run_plain(work, &pass, s);
        if (engine->options.tap)
            tap_window(work, &pass, s->x);
    }
}

static void block_task(void *context, uint32_t task, uint32_t thread) {
    const block_work *work = context;
    swin2sr__cpu_engine *engine = work->engine;
    if (!swin2sr__cpu_goes_on(engine, thread))
        return;
    swin2sr__cpu_task_begin(engine);
    run_passes(work, work->first_row + (int32_t)task / work->tasks_per_row,
               (int32_t)task % work->tasks_per_row * work->passes_per_task, &engine->scratch[thread]);
    swin2sr__cpu_task_end(engine);
}

void swin2sr__cpu_run_block(swin2sr__cpu_engine *engine, int32_t group, int32_t index) {
    const swin2sr__cpu_block *block = &engine->weights->groups[group].blocks[index];
    swin2sr__span span = engine->base.schedule.blocks[group][index];
    if (span.from == span.to)
        return;
    int32_t window = engine->network->config.window_px;
    block_work work = {.engine = engine, .block = block, .group = group, .index = index};
    work.has_cells = swin2sr__has_cells(engine->network);
    work.before = swin2sr__network_is_shifted(index) ? window - engine->base.schedule.shift : 0;
    work.first_row = (span.from + work.before) / window;
    int32_t rows = (span.to + work.before + window - 1) / window - work.first_row;
    work.passes_per_row = engine->W / window + (swin2sr__network_is_shifted(index) && !work.has_cells ? 1 : 0);
    int32_t share = rows * work.passes_per_row / (int32_t)(4 * swin2sr__threads_count(engine->threads));
    work.passes_per_task = share < 1 ? 1 : share > 8 ? 8 : share;
    work.tasks_per_row = (work.passes_per_row + work.passes_per_task - 1) / work.passes_per_task;
    swin2sr__threads_run(engine->threads, block_task, &work, (uint32_t)(rows * work.tasks_per_row));
}
