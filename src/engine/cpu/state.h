/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/state.h - what the parts of the CPU's pipeline share: rings, scratch memory, the engine.
 * Letters: H W padded rows and columns, C channels, A heads, D head size, T tokens of a window, S scale. */
#pragma once

#include <stdatomic.h>

#include "base/threads.h"
#include "engine/cpu/network.h"
#include "engine/schedule.h"

_Static_assert(SWIN2SR__CONV_ROWS == SWIN2SR__SCHEDULE_ROWS, "the kernels compute the rows that the schedule plans");

#define SWIN2SR__ROW_MARGIN \
    16 /* zeros before each channel of a row: its left edge, and the right edge of the one before */

/* Rows [rows][C][stride]; row y is at y % rows. Columns outside 0..width-1 stay zero. Convolutions read words of a
 * panel (kernels.h); pixels, residuals and features inside the blocks are floats. */
typedef struct swin2sr__row_ring {
    float *data;
    size_t stride; /* of one channel of one row, margins included */
    int32_t rows;
    int32_t channels; /* or words */
    int32_t width;
    int32_t height; /* rows of the plane; outside it are zeros */
} swin2sr__row_ring;

/* Rows of cells [rows][W/4][C][16]; row i is at i % rows. */
typedef struct swin2sr__cell_ring {
    float *data;
    int32_t rows;
    int32_t columns;
    int32_t channels;
} swin2sr__cell_ring;

/* Output pixels; row y is at y % rows. What is outside width x height is dropped. */
typedef struct swin2sr__pixel_ring {
    unsigned char *data;
    size_t stride; /* bytes */
    int32_t rows;
    int32_t width, height;
} swin2sr__pixel_ring;

/* The memory of one thread. */
typedef struct swin2sr__scratch {
    float *x, *panel, *operand, *qkv, *scores, *attended, *y, *hidden; /* [..][64] */
    float *conv, *transformed; /* [4][..][64] rows of a convolution; swin2sr__conv_scratch */
    float *unused_cell;        /* [C][16]; receives lanes without a cell */
    float squares[SWIN2SR__LANES];
    uint8_t region[SWIN2SR__LANES];
} swin2sr__scratch;

typedef struct swin2sr__cpu_engine {
    swin2sr__engine base;
    const swin2sr__network *network; /* shapes */
    const swin2sr__cpu_network *weights;
    const swin2sr__kernels *kernels;
    swin2sr__engine_options options;
    swin2sr_threads *threads;
    swin2sr__arena memory;
    swin2sr__side rows, columns;
    int32_t H, W; /* padded */
    swin2sr__row_ring input;
    swin2sr__row_ring input_words;                   /* if words hold two values: a pixel is the sum of both */
    swin2sr__cell_ring cells[SWIN2SR__MAX_GROUPS];   /* features, if they are in cells */
    swin2sr__row_ring features[SWIN2SR__MAX_GROUPS]; /* features, if they are not */
    swin2sr__row_ring conv_in[SWIN2SR__MAX_GROUPS];
    swin2sr__row_ring narrow[SWIN2SR__MAX_GROUPS];
    swin2sr__row_ring residual[SWIN2SR__MAX_GROUPS];
    swin2sr__row_ring body, body_narrow;
    swin2sr__row_ring stages[SWIN2SR__MAX_STAGES];
    swin2sr__row_ring bicubic, cubic; /* aux head: enlarged pixels, and their convolution */
    swin2sr__pixel_ring output, aux;
    float *zero_row;           /* one channel of the widest row; read instead of rows outside the plane */
    float *zero_cell;          /* [C][16] */
    swin2sr__scratch *scratch; /* [threads] */
    atomic_bool is_cancelled;
    uint64_t progress_us; /* when on_progress was last called */
    bool is_used;         /* an earlier image left the memory non-zero */
} swin2sr__cpu_engine;

static inline float *swin2sr__row_at(const swin2sr__row_ring *ring, int32_t y, int32_t c) {
    size_t row = (size_t)(y % ring->rows) * (size_t)ring->channels + (size_t)c;
    return ring->data + row * ring->stride + SWIN2SR__ROW_MARGIN;
}

static inline float *swin2sr__cell_at(const swin2sr__cell_ring *ring, int32_t row, int32_t column) {
    size_t cell = (size_t)(row % ring->rows) * (size_t)ring->columns + (size_t)column;
    return ring->data + cell * (size_t)ring->channels * SWIN2SR__UNIT;
}

/* Values [K][64] as the panel that products read. */
static inline const float *swin2sr__panel_of(const swin2sr__kernels *kernels, const swin2sr__scratch *s,
                                             const float *values, int32_t K) {
    if (!kernels->to_panel)
        return values;
    kernels->to_panel(s->panel, values, K);
    return s->panel;
}

/* A panel of K as the operand that linear layers read. */
static inline const float *swin2sr__operand_of(const swin2sr__kernels *kernels, const swin2sr__scratch *s,
                                               const float *panel, int32_t K) {
    if (!kernels->to_operand)
        return panel;
    kernels->to_operand(s->operand, panel, K);
    return s->operand;
}

/* Called before the first kernel and after the last kernel of a task. */
static inline void swin2sr__cpu_task_begin(const swin2sr__cpu_engine *engine) {
    if (engine->kernels->task_begin)
        engine->kernels->task_begin();
}

static inline void swin2sr__cpu_task_end(const swin2sr__cpu_engine *engine) {
    if (engine->kernels->task_end)
        engine->kernels->task_end();
}

/* block.c: one block, over rows of windows. */
void swin2sr__cpu_run_block(swin2sr__cpu_engine *engine, int32_t group, int32_t block);
/* conv.c: the convolutions of the body and of the head. */
void swin2sr__cpu_run_embed(swin2sr__cpu_engine *engine);
void swin2sr__cpu_run_group_conv(swin2sr__cpu_engine *engine, int32_t group);
void swin2sr__cpu_run_after_body(swin2sr__cpu_engine *engine);
void swin2sr__cpu_run_stage(swin2sr__cpu_engine *engine, int32_t stage);
/* The branch of the aux head that enlarges the pixels. */
void swin2sr__cpu_run_cubic(swin2sr__cpu_engine *engine);
/* input.c: add a row of pixels, or a padding row, to the input ring. */
void swin2sr__cpu_take_row(swin2sr__cpu_engine *engine, const void *pixels);
void swin2sr__cpu_pad_row(swin2sr__cpu_engine *engine);
/* output.c: store 64 lanes of a stage before its shuffle by r, [channels * r^2][64], as pixels. */
void swin2sr__cpu_put_pixels(const swin2sr__cpu_engine *engine, const swin2sr__pixel_ring *to, const float *values,
                             int32_t r, int32_t y, int32_t x, int32_t columns);
/* Pass finished rows to on_rows. all: in pixels of this image; rows below the image are dropped. */
swin2sr_status swin2sr__cpu_emit(const swin2sr__pixel_ring *from, swin2sr__span all, swin2sr_on_rows on_rows,
                                 void *context);
/* Report progress; false: the caller has cancelled. */
bool swin2sr__cpu_report_progress(swin2sr__cpu_engine *engine);
/* Called between tasks; false: the caller has cancelled. Thread 0 reports progress, at most every 20 ms. */
bool swin2sr__cpu_goes_on(swin2sr__cpu_engine *engine, uint32_t thread);
