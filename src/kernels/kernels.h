/* SPDX-License-Identifier: Apache-2.0
 * kernels/kernels.h - the table of functions that take most of the time (inside stage 6 of 9, engine).
 * They work on 64 lanes at a time: the tokens of one 8x8 window, or 64 pixels of one row. Values are floats by channel:
 * x[C][64]. Weights are broadcast to all lanes, and only attention combines lanes. The bits of a lane therefore do not
 * depend on other lanes, on the number of threads or on the rows per step.
 * The C table is the reference: every other table must agree with it within k * eps * sum|x||w|. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/pack.h"
#include <swin2sr/types.h>

#define SWIN2SR__LANES 64
#define SWIN2SR__UNIT 16     /* lanes of one cell (4x4 pixels); rows are padded to a multiple of this */
#define SWIN2SR__CONV_ROWS 4 /* rows per convolution; they start at a multiple of four, or the bits would change */
#define SWIN2SR__CONV_INPUT_ROWS (SWIN2SR__CONV_ROWS + 2)
#define SWIN2SR__CONV_COLUMNS \
    (SWIN2SR__LANES + 2 * SWIN2SR__UNIT) /* columns that a convolution may read, with its 64 in the middle */
#define SWIN2SR__TILE 16                 /* outputs, words and lanes of a matrix tile, in tables that use tiles */
#define SWIN2SR__MAX_SHUFFLE 8
#define SWIN2SR__BURSTS 2
#define SWIN2SR__NORM_EPS 1e-5f
#define SWIN2SR__INT8_MAX 127.0f
#define SWIN2SR__INT8_TINY 1e-30f /* lower bound of a token's range, so that its inverse is finite */
#define SWIN2SR__LOG2E 1.44269504088896340736f

/* Up to this scale logits need no search for their maximum. cosine * scale + bias lies in [-scale, scale + 16] and the
 * table of biases is lowered by 8, so |logit| <= scale + 8: 2^logit, its sum over a window and its products with values
 * of usual size are normal floats. Above this scale the maximum is subtracted. */
#define SWIN2SR__SCALE_WITHOUT_MAX 60.0f

/* One attention head of one block. */
typedef struct swin2sr__attention_head {
    const float *bias; /* [keys][64] position bias by key and query: (16 sigmoid(cpb) - 8) * log2(e) */
    float scale;       /* exp(min(logit_scale, log 100)) * log2(e) */
    bool has_max_pass; /* scale exceeds SWIN2SR__SCALE_WITHOUT_MAX */
    int32_t dim;       /* D, even, at least 4 */
    int32_t keys;      /* tokens of a window, rounded up to an even number: 64 for a window of 8 */
} swin2sr__attention_head;

/* One input of a convolution: rows of [channels][stride] floats, or words of a panel. Each pointer is to the first
 * output column; the first row is the one above the first output row, and there are two rows more than outputs.
 * Columns -1 and 16 * units are read and hold the neighbouring pixel or 0. Columns -16 to -2 and up to 16 * units +
 * 15 must be readable memory. Column 0 is aligned to 64 bytes. A row of zeros has stride 0. */
typedef struct swin2sr__conv_input {
    const float *rows[SWIN2SR__CONV_INPUT_ROWS];
    size_t strides[SWIN2SR__CONV_INPUT_ROWS]; /* floats between the channels of a row */
    int32_t channels;                         /* or words of `pair` channels */
} swin2sr__conv_input;

/* A 3x3 convolution of one or two inputs with its activation: act(v) = v > 0 ? v : slope * v. */
typedef struct swin2sr__conv {
    const swin2sr__conv_input *inputs;
    int32_t inputs_count;
    const swin2sr__linear *linear;
    float slope;
    int32_t rows;   /* of output, 1..4 */
    int32_t units;  /* 1..4: lanes 0 .. 16 * units - 1 are computed */
    float *scratch; /* swin2sr__conv_scratch floats, aligned to 64 bytes; unused by conv3x3 */
} swin2sr__conv;

/* Arrays [..][64] are aligned to 64 bytes. Outputs do not alias inputs unless an entry says so.
 * A panel holds the inputs of products in the table's type: [K / pair][64] words of 32 bits; in an fp32 table it is the
 * values themselves. Values outside panels are floats in every table. Outside linear layers an int8 table works like an
 * fp32 or a bf16 table.
 * An operand is what linear layers read: the panel, or in an int8 table the panel's values rounded to 8 bits with one
 * scale per token: x = q * scale, q in -127..127, rounded to nearest, ties to even. It holds [64] scales, then
 * [K / 4][64] words of four bytes q + 128, the first in the lowest bits. Sums of q are exact, and
 * y = fma(sum, scale of the token * scale of the output, bias): every level gives the same bits for one panel. */
typedef struct swin2sr__kernels {
    const char *name; /* "c", "avx2", "avx512", "c_bf16", "bf16", "amx", "vnni", "neon", ... (kernels.c) */
    swin2sr_precision precision;
    int32_t pair; /* values in one word of a panel or of packed weights: 2 for bf16, else 1 */
    int32_t taps; /* words per 3x3 weights in pack_conv: 9, or 18 for swin2sr__pack_conv_winograd */
    int32_t tile; /* packed outputs and words are rounded up to a multiple of this: 1, or SWIN2SR__TILE */
    /* A thread calls task_begin before the first kernel of a task and task_end after the last one. They configure and
     * release the thread's tile registers. NULL in tables without tiles. */
    void (*task_begin)(void);
    void (*task_end)(void);
    /* Packs weights of linear layers for this table: swin2sr__linear_floats floats, aligned to 64 bytes. */
    void (*pack_linear)(float *dst, const float *weights, int32_t outputs, int32_t inputs);
    /* Packs weights for conv3x3_panel: swin2sr__conv_floats floats, aligned to 64 bytes. Those for conv3x3 are packed
     * by swin2sr__pack_conv. */
    void (*pack_conv)(float *dst, const float *weights, int32_t outputs, const int32_t *channels, int32_t count);

    /* Values [K][64] to a panel. NULL: the values are the panel. */
    void (*to_panel)(float *panel, const float *x, int32_t K);
    /* A panel of K values to an operand of swin2sr__operand_rows rows of [64]. NULL: the panel is the operand. */
    void (*to_operand)(float *operand, const float *panel, int32_t K);
    /* y[n][t] = bias[n] + sum_k w[n][k] x[k][t].  x: an operand of K; y: [N][64]. N includes the padding of pack.h. */
    void (*linear)(float *y, const float *x, const swin2sr__linear *linear);
    /* linear, then the exact GELU: y / 2 * (1 + erf(y / sqrt 2)). The result is a panel of N. */
    void (*linear_gelu)(float *panel, const float *x, const swin2sr__linear *linear);
    /* linear, and squares[t] = sum_n y[n][t]^2. */
    void (*linear_squares)(float *y, float *squares, const float *x, const swin2sr__linear *linear);

    /* Cosine attention of one head in one window.
     * out      A panel of D.
     * qkv      [3D][64], the rows of q, then k, then v. Overwritten.
     * region   [64] or NULL. A key has weight 0 for a query whose byte differs from its own.
     * scores   Scratch, [keys][64]. */
    void (*attention)(float *out, float *qkv, const swin2sr__attention_head *head, const uint8_t *region,
                      float *scores);

    /* x[c][t] += y[c][t] / sqrt(squares[t] / C + eps) * gamma[c] + beta[c]: LayerNorm and the residual. The mean
     * of y is zero because the weights of the linear layer before are centred. */
    void (*norm_add)(float *x, const float *y, const float *squares, const float *gamma, const float *beta, int32_t C);
    /* LayerNorm over channels with its mean, in place. x [C][64]. */
    void (*layer_norm)(float *x, const float *gamma, const float *beta, int32_t C);

    /* y[r][n][t] = act(bias[n] + sum over inputs, ky, c, kx of w * input).  y [4][N][64]; rows from `rows` on are
     * undefined. */
    void (*conv3x3)(float *y, const swin2sr__conv *conv);
    /* conv3x3 in the table's type: inputs are words of panels, weights are packed by pack_conv. Rows may share
     * products. */
    void (*conv3x3_panel)(float *y, const swin2sr__conv *conv);

    /* One row of 8-bit pixels from values before their pixel shuffle by r (up to 8):
     * pixels[i * channels + c] = round(clip(values[c * r * r + i % r][i / r] * factor + mean[c]) * 255), half up; NaN
     * gives 0.
     * values   [..][64], from the row of the first channel that belongs to this output row.
     * count    Pixels, up to 64 * r. channels is 1..3.
     * bound    One level, where half a level is rounded. */
    void (*put_bytes)(uint8_t *pixels, const float *values, int32_t r, int32_t channels, int32_t count, float factor,
                      const float *mean);

    /* Four cells [C][16] to [C][64], and back. */
    void (*gather)(float *x, const float *const cells[4], int32_t C);
    void (*scatter)(float *const cells[4], const float *x, int32_t C);

    /* Runs multiply-adds at full speed, in one of SWIN2SR__BURSTS shapes, and returns how many. For peak.h. NULL: the
     * type is emulated. */
    double (*fma_burst)(int32_t shape);
} swin2sr__kernels;

/* Words per output in a linear layer, without the padding of tiles. */
static inline int32_t swin2sr__linear_words(const swin2sr__kernels *table, int32_t inputs) {
    return table->to_operand ? swin2sr__int8_words(inputs) : (inputs + table->pair - 1) / table->pair;
}

static inline size_t swin2sr__round_up(int32_t count, int32_t multiple) {
    return (size_t)((count + multiple - 1) / multiple) * (size_t)multiple;
}

/* Floats from the table's pack_linear. */
static inline size_t swin2sr__linear_floats(const swin2sr__kernels *table, int32_t outputs, int32_t inputs) {
    return swin2sr__round_up(swin2sr__pack_outputs(outputs), table->tile) *
           swin2sr__round_up(swin2sr__linear_words(table, inputs), table->tile);
}

/* Floats from the table's pack_conv. */
static inline size_t swin2sr__conv_floats(const swin2sr__kernels *table, int32_t outputs, const int32_t *channels,
                                          int32_t count) {
    return swin2sr__round_up(swin2sr__pack_outputs(outputs), table->tile) * (size_t)table->taps *
           swin2sr__round_up(swin2sr__conv_rows(channels, count, table->pair) / 9, table->tile);
}

/* Floats of scratch memory for the table's conv3x3_panel; channels is the sum over its one or two inputs. */
static inline size_t swin2sr__conv_scratch(const swin2sr__kernels *table, int32_t channels) {
    if (table->tile > 1) /* each of two inputs may end in half a word */
        return swin2sr__round_up(channels / table->pair + 1, table->tile) * SWIN2SR__CONV_INPUT_ROWS *
               SWIN2SR__CONV_COLUMNS;
    return table->taps == 9 ? 0 : (size_t)channels * SWIN2SR__WINOGRAD_POINTS * SWIN2SR__CONV_COLUMNS;
}

/* Rows of [64] in an operand of K values; 0 if panels are operands. */
static inline int32_t swin2sr__operand_rows(const swin2sr__kernels *table, int32_t K) {
    return table->to_operand ? 1 + (K + 3) / 4 : 0;
}

/* The strongest table of a precision that this processor runs, up to the level in SWIN2SR_CPU (c, avx2, avxvnni,
 * avx512, vnni, bf16, amx; on Arm c, neon, i8mm, bf16). AUTO is fp32. Never NULL. On processors with AMX the first call
 * for BF16 asks the kernel for permission to use tiles, so it must come before a sandbox that refuses arch_prctl. */
const swin2sr__kernels *swin2sr__kernels_get(swin2sr_precision precision);
/* Why a table that this processor has instructions for is not used. A constant text; "" if the best table is used. */
const char *swin2sr__kernels_note(swin2sr_precision precision);
/* The table for a model: that of swin2sr__kernels_get, or the C table if is_plain.
 * errors  _INVALID (unknown precision, or SWIN2SR_CPU names no level). */
swin2sr_status swin2sr__kernels_choose(swin2sr_precision precision, bool is_plain, const swin2sr__kernels **ret_kernels,
                                       swin2sr_error *reterr);
/* A table by name; NULL if there is none or the processor cannot run it. For tests. */
const swin2sr__kernels *swin2sr__kernels_named(const char *name);

extern const swin2sr__kernels swin2sr__kernels_c;
extern const swin2sr__kernels swin2sr__kernels_c_bf16;
extern const swin2sr__kernels swin2sr__kernels_c_int8;
extern const swin2sr__kernels swin2sr__kernels_avx2;
extern const swin2sr__kernels swin2sr__kernels_avx512;
extern const swin2sr__kernels swin2sr__kernels_bf16;
extern const swin2sr__kernels swin2sr__kernels_amx;
extern const swin2sr__kernels swin2sr__kernels_avx2_int8;
extern const swin2sr__kernels swin2sr__kernels_avxvnni;
extern const swin2sr__kernels swin2sr__kernels_vnni;
extern const swin2sr__kernels swin2sr__kernels_vnni_bf16;
extern const swin2sr__kernels swin2sr__kernels_neon;
extern const swin2sr__kernels swin2sr__kernels_neon_int8;
extern const swin2sr__kernels swin2sr__kernels_neon_bf16;
extern const swin2sr__kernels swin2sr__kernels_neon_int8_bf16;
