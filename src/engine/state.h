/* SPDX-License-Identifier: Apache-2.0
 * engine/state.h - what the parts of the engine share: rings, scratch memory, the task context.
 * Letters: H W padded rows and columns, C channels, A heads, D head size, T tokens of a window, S scale. */
#ifndef SWIN2SR_ENGINE_STATE_H
#define SWIN2SR_ENGINE_STATE_H

#include <stdatomic.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "engine/schedule.h"

#define TILE 4 /* a tile is 4x4 pixels, [C][16] floats */
#define LANES SWIN2SR__LANES
#define UNIT SWIN2SR__UNIT
#define ROW_MARGIN \
    16 /* zero columns before each channel of a row: its left edge, and the right edge of the one before */

/* Rows [rows][C][stride]; row y lies at y % rows. Columns outside 0..width-1 stay zero. What convolutions read are words
 * of a panel (kernels.h); pixels, residuals and features inside the blocks are floats. */
typedef struct row_ring {
    float *data;
    size_t stride; /* of one channel of one row, margins included */
    int32_t rows;
    int32_t channels; /* or words */
    int32_t width;
    int32_t height; /* rows of the plane: outside are zeros */
} row_ring;

/* Tile rows [rows][W/4][C][16]; tile row i lies at i % rows. */
typedef struct tile_ring {
    float *data;
    int32_t rows;
    int32_t columns;
    int32_t channels;
} tile_ring;

/* Pixels on their way out: row y lies at y % rows; what lies outside width x height is dropped. */
typedef struct pixel_rows {
    unsigned char *data;
    size_t stride; /* bytes */
    int32_t rows;
    int32_t width, height;
} pixel_rows;

/* One thread's memory. */
typedef struct scratch {
    float *x, *panel, *operand, *qkv, *scores, *attended, *y, *hidden; /* [..][64] */
    float *conv, *transformed; /* [4][..][64] rows of a convolution; swin2sr__conv_scratch */
    float *unused_tile;        /* [C][16]: where lanes without a tile go */
    float squares[LANES];
    uint8_t region[LANES];
} scratch;

struct swin2sr__engine {
    const swin2sr__network *network;
    const swin2sr__kernels *kernels;
    swin2sr__engine_options options;
    swin2sr__pool *pool;
    swin2sr__arena memory;
    swin2sr__schedule schedule;
    swin2sr__side rows, columns;
    int32_t H, W;      /* padded */
    int32_t pushed;    /* input rows taken in, of options.height_px */
    int32_t available; /* padded rows in the input ring */
    row_ring input;
    row_ring input_words; /* the same in words of two values, where the table has those; a pixel is their sum */
    tile_ring tiles[SWIN2SR__MAX_GROUPS];   /* features, where windows are made of tiles */
    row_ring features[SWIN2SR__MAX_GROUPS]; /* features, where they are not */
    row_ring conv_in[SWIN2SR__MAX_GROUPS];
    row_ring narrow[SWIN2SR__MAX_GROUPS];
    row_ring residual[SWIN2SR__MAX_GROUPS];
    row_ring body, body_narrow;
    row_ring stages[SWIN2SR__MAX_STAGES];
    row_ring bicubic, cubic; /* aux head: enlarged pixels, and their convolution */
    pixel_rows output, aux;
    float *zero_row;  /* one channel of the widest row, read where a row lies outside the plane */
    float *zero_tile; /* [C][16] */
    scratch *threads;
    atomic_bool is_cancelled;
    uint64_t progress_us;  /* when on_progress was last called */
    swin2sr_status status; /* sticky until the next start */
    bool is_used;          /* an image has been here: the memory is not zero any more */
};

static inline float *row_at(const row_ring *ring, int32_t y, int32_t c) {
    return ring->data + ((size_t)(y % ring->rows) * (size_t)ring->channels + (size_t)c) * ring->stride + ROW_MARGIN;
}

static inline float *tile_at(const tile_ring *ring, int32_t row, int32_t column) {
    size_t tile = (size_t)(row % ring->rows) * (size_t)ring->columns + (size_t)column;
    return ring->data + tile * (size_t)ring->channels * UNIT;
}

/* Four pixels of row y, from column 4 * tile on, into the tile ring. */
static inline float *tile_row_at(const tile_ring *ring, int32_t y, int32_t column, int32_t c) {
    return tile_at(ring, y / TILE, column) + c * UNIT + y % TILE * TILE;
}

/* Values [K][64] as products read them. */
static inline const float *panel_of(const swin2sr__kernels *kernels, const scratch *s, const float *values, int32_t K) {
    if (!kernels->to_panel)
        return values;
    kernels->to_panel(s->panel, values, K);
    return s->panel;
}

/* A panel of K as linear layers read it. */
static inline const float *operand_of(const swin2sr__kernels *kernels, const scratch *s, const float *panel,
                                      int32_t K) {
    if (!kernels->to_operand)
        return panel;
    kernels->to_operand(s->operand, panel, K);
    return s->operand;
}

/* Between tasks: false once the caller has asked to stop. Thread 0 asks it, at most every 20 ms. */
bool swin2sr__engine_goes_on(swin2sr__engine *engine, uint32_t thread);

/* block.c: one block over rows of windows. */
void swin2sr__engine_run_block(swin2sr__engine *engine, int32_t group, int32_t block);
/* conv.c: the convolutions of the body and of the head. */
void swin2sr__engine_run_embed(swin2sr__engine *engine);
void swin2sr__engine_run_group_conv(swin2sr__engine *engine, int32_t group);
void swin2sr__engine_run_after_body(swin2sr__engine *engine);
void swin2sr__engine_run_stage(swin2sr__engine *engine, int32_t stage);
/* The branch of the aux head that enlarges the pixels themselves. */
void swin2sr__engine_run_cubic(swin2sr__engine *engine);
/* input.c: one row of pixels, or a padding row, into the input ring. */
void swin2sr__engine_take_row(swin2sr__engine *engine, const void *pixels);
void swin2sr__engine_pad_row(swin2sr__engine *engine);
/* output.c: a block of a stage before its shuffle by r, [channels * r^2][64], as pixels. */
void swin2sr__engine_put_pixels(const swin2sr__engine *engine, const pixel_rows *to, const float *values, int32_t r,
                                int32_t y, int32_t x, int32_t columns);
/* Finished rows of `all` (in its own pixels) to the caller; rows below the image are dropped. */
swin2sr_status swin2sr__engine_emit(const pixel_rows *from, swin2sr__span all, swin2sr_on_rows on_rows, void *context);

#endif
