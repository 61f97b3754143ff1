/* SPDX-License-Identifier: Apache-2.0
 * kernels/kernels.h - the table of hot functions (inside stage 6 of 9, engine).
 * The unit of work is a block of 64 lanes: the tokens of one 8x8 window, or 64 pixels of one row. Values are float,
 * channel by channel: x[C][64]. Weights are broadcast, lanes never mix except inside attention, so the bits of a lane
 * do not depend on its neighbours, on threads or on rows per step.
 * The C table is the oracle; every other variant is tested against it within k * eps * sum|x||w|. */
#ifndef SWIN2SR_KERNELS_KERNELS_H
#define SWIN2SR_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/pack.h"
#include <swin2sr/types.h>

#define SWIN2SR__LANES 64
#define SWIN2SR__UNIT 16     /* lanes of one cell-channel; rows are padded to this */
#define SWIN2SR__CONV_ROWS 4 /* that a convolution makes at once: from a multiple of four on, or its bits change */
#define SWIN2SR__CONV_INPUT_ROWS (SWIN2SR__CONV_ROWS + 2)
#define SWIN2SR__CONV_COLUMNS \
    (SWIN2SR__LANES + 2 * SWIN2SR__UNIT) /* that a convolution may read, its block in the middle */
#define SWIN2SR__MAX_SHUFFLE 8
#define SWIN2SR__BURSTS 2
#define SWIN2SR__NORM_EPS 1e-5f
#define SWIN2SR__INT8_MAX 127.0f
#define SWIN2SR__INT8_TINY 1e-30f /* a token's range is at least this: its inverse must be finite */
#define SWIN2SR__LOG2E 1.44269504088896340736f

/* Logits are kept inside the range of exp2 without looking for their maximum: cosine * scale + bias lies in
 * [-scale, scale + 16], the table of biases is lowered by 8, so |logit| <= scale + 8. Up to this scale 2^logit,
 * its sum over a window and its product with any sane value stay normal floats; above it the maximum is subtracted. */
#define SWIN2SR__SCALE_WITHOUT_MAX 60.0f

/* One attention head of one block. */
typedef struct swin2sr__attention_head {
    const float *bias; /* [keys][64] position bias by key and query: (16 sigmoid(cpb) - 8) * log2(e) */
    float scale;       /* exp(min(logit_scale, log 100)) * log2(e) */
    bool has_max_pass; /* scale is over SWIN2SR__SCALE_WITHOUT_MAX */
    int32_t dim;       /* D, even, at least 4 */
    int32_t keys;      /* tokens of a window, rounded up to even: 64 for window 8 */
} swin2sr__attention_head;

/* One input of a convolution: rows of [channels][strides] floats, or words of a panel, at the first pixel of the block;
 * the first row is the one above it, and there are two more than the convolution makes.
 * Columns -1 and 16 * units are read: they hold the neighbour or the zero padding, and columns -16 to -2 and up to
 * 16 * units + 15 are memory, aligned to 64 bytes from column 0. A row of zeros has stride 0. */
typedef struct swin2sr__conv_input {
    const float *rows[SWIN2SR__CONV_INPUT_ROWS];
    size_t strides[SWIN2SR__CONV_INPUT_ROWS]; /* floats from one channel of a row to the next */
    int32_t channels;                         /* or words, each `pair` channels */
} swin2sr__conv_input;

/* A 3x3 convolution of one or two inputs, and what follows it at once: act(v) = v > 0 ? v : slope * v. */
typedef struct swin2sr__conv {
    const swin2sr__conv_input *inputs;
    int32_t inputs_count;
    const swin2sr__linear *linear;
    float slope;
    int32_t rows;   /* to make, 1..4 */
    int32_t units;  /* 1..4: only lanes 0 .. 16 * units - 1 are made */
    float *scratch; /* swin2sr__conv_scratch floats, aligned to 64 bytes; conv3x3 needs none */
} swin2sr__conv;

/* Pointers are aligned to 64 bytes where they are [..][64] arrays; outputs never alias inputs unless said so.
 * A panel is the input of products in the table's own type: [K / pair][64] words of 32 bits; in an fp32 table the
 * values themselves. Values outside panels are float in every table. Outside linear layers an int8 table is as one of
 * fp32 or of bf16.
 * An operand is what linear layers read: the panel, or in an int8 table its values rounded to 8 bits with a scale a
 * token: x = q * scale, q -127..127, to the nearest, ties to even. [64] scales, then [K / 4][64] words of bytes q + 128,
 * the first in the lowest bits. Sums of q are exact and y = fma(sum, scale of the token * scale of the output, bias), so
 * int8 linear layers of the same panel give the same bits at every level. */
typedef struct swin2sr__kernels {
    const char *name; /* "c", "avx2", "avx512", "c_bf16", "bf16", "c_int8", "vnni", "neon", ... (kernels.c) */
    swin2sr_precision precision;
    int32_t pair; /* values in one word of a panel and of packed weights: 1, or 2 where they are bf16 */
    int32_t taps; /* words that pack_conv makes of a word's 3x3 weights: 9, or 18 for swin2sr__pack_conv_winograd */
    /* Weights of linear layers for this table; swin2sr__linear_words words an output. */
    void (*pack_linear)(float *dst, const float *weights, int32_t outputs, int32_t inputs);
    /* Weights of conv3x3_panel, as swin2sr__pack_conv says; those of conv3x3 are packed by swin2sr__pack_conv. */
    void (*pack_conv)(float *dst, const float *weights, int32_t outputs, const int32_t *channels, int32_t count);

    /* Values [K][64] to a panel. NULL where they are one. */
    void (*to_panel)(float *panel, const float *x, int32_t K);
    /* A panel of K to an operand, of swin2sr__operand_rows rows of [64]. NULL where they are one. */
    void (*to_operand)(float *operand, const float *panel, int32_t K);
    /* y[n][t] = bias[n] + sum_k w[n][k] x[k][t].  x operand of K, y [N][64]; N counts the padding of pack.h, K as is. */
    void (*linear)(float *y, const float *x, const swin2sr__linear *linear);
    /* The same, then exact GELU: y/2 * (1 + erf(y / sqrt 2)). The result is a panel of N. */
    void (*linear_gelu)(float *panel, const float *x, const swin2sr__linear *linear);
    /* The same as linear; squares[t] = sum_n y[n][t]^2. */
    void (*linear_squares)(float *y, float *squares, const float *x, const swin2sr__linear *linear);

    /* Cosine attention of one head in one window. qkv [3D][64]: q, k, v rows; overwritten.
     * region   [64] or NULL: a key counts for a query only where both bytes are equal (else weight exactly 0).
     * scores   scratch [keys][64].  out panel of D. */
    void (*attention)(float *out, float *qkv, const swin2sr__attention_head *head, const uint8_t *region,
                      float *scores);

    /* x[c][t] += y[c][t] / sqrt(squares[t] / C + eps) * gamma[c] + beta[c]: LayerNorm of a vector whose mean is
     * zero by construction (the linear layer before it is centred), and the residual. */
    void (*norm_add)(float *x, const float *y, const float *squares, const float *gamma, const float *beta, int32_t C);
    /* LayerNorm over channels in place, mean included. x [C][64]. */
    void (*layer_norm)(float *x, const float *gamma, const float *beta, int32_t C);

    /* y[r][n][t] = act(bias[n] + sum over inputs, ky, c, kx of w * input).  y [4][N][64], rows over `rows` undefined. */
    void (*conv3x3)(float *y, const swin2sr__conv *conv);
    /* The same in the table's own type: rows of a panel's words, weights by pack_conv. Four rows may share products. */
    void (*conv3x3_panel)(float *y, const swin2sr__conv *conv);

    /* One row of 8-bit pixels out of a block before its pixel shuffle by r, low-resolution row and dy fixed:
     * pixels[i * channels + c] = round(clip(values[c * r * r + i % r][i / r] * factor + mean[c]) * 255), half up,
     * NaN gives 0. values [..][64], at the first channel's dy; count  up to 64 * r; r up to 8, channels up to 3.
     * bound    the same level, or one beside it where a half is rounded. */
    void (*put_bytes)(uint8_t *pixels, const float *values, int32_t r, int32_t channels, int32_t count, float factor,
                      const float *mean);

    /* Four cells (4x4 pixels) of [C][16] to one block [C][64] and back. */
    void (*gather)(float *x, const float *const cells[4], int32_t C);
    void (*scatter)(float *const cells[4], const float *x, int32_t C);

    /* Multiply-adds as fast as the processor can, nothing else, in one of SWIN2SR__BURSTS shapes; returns how many. For
     * peak.h. NULL where the type is emulated. */
    double (*fma_burst)(int32_t shape);
} swin2sr__kernels;

/* Words that the table's pack_linear makes of one output. */
static inline int32_t swin2sr__linear_words(const swin2sr__kernels *table, int32_t inputs) {
    return table->to_operand ? swin2sr__int8_words(inputs) : (inputs + table->pair - 1) / table->pair;
}

/* Words that the table's pack_conv makes of one output. */
static inline int32_t swin2sr__conv_words(const swin2sr__kernels *table, const int32_t *channels, int32_t count) {
    return swin2sr__conv_rows(channels, count, table->pair) / 9 * table->taps;
}

/* Floats that the table's conv3x3_panel needs beside its inputs, of so many channels together. */
static inline size_t swin2sr__conv_scratch(const swin2sr__kernels *table, int32_t channels) {
    return table->taps == 9 ? 0 : (size_t)channels * SWIN2SR__WINOGRAD_POINTS * SWIN2SR__CONV_COLUMNS;
}

/* Rows of [64] that the table's to_operand makes of K values; 0 where it has none. */
static inline int32_t swin2sr__operand_rows(const swin2sr__kernels *table, int32_t K) {
    return table->to_operand ? 1 + (K + 3) / 4 : 0;
}

/* The strongest table of a precision that this processor runs, at most the level SWIN2SR_CPU asks for (c, avx2,
 * avxvnni, avx512, vnni, bf16; on Arm c, neon, i8mm, bf16). AUTO is fp32. Every precision has one. */
const swin2sr__kernels *swin2sr__kernels_get(swin2sr_precision precision);
/* The table of a model: swin2sr__kernels_get, or the C table if is_plain.
 * errors  _INVALID: no such precision, or SWIN2SR_CPU names no level. */
swin2sr_status swin2sr__kernels_choose(swin2sr_precision precision, bool is_plain, const swin2sr__kernels **ret_kernels,
                                       swin2sr_error *reterr);
/* A table by name, NULL when unknown or not runnable here. For tests. */
const swin2sr__kernels *swin2sr__kernels_named(const char *name);

extern const swin2sr__kernels swin2sr__kernels_c;
extern const swin2sr__kernels swin2sr__kernels_c_bf16;
extern const swin2sr__kernels swin2sr__kernels_c_int8;
extern const swin2sr__kernels swin2sr__kernels_avx2;
extern const swin2sr__kernels swin2sr__kernels_avx512;
extern const swin2sr__kernels swin2sr__kernels_bf16;
extern const swin2sr__kernels swin2sr__kernels_avx2_int8;
extern const swin2sr__kernels swin2sr__kernels_avxvnni;
extern const swin2sr__kernels swin2sr__kernels_vnni;
extern const swin2sr__kernels swin2sr__kernels_vnni_bf16;
extern const swin2sr__kernels swin2sr__kernels_neon;
extern const swin2sr__kernels swin2sr__kernels_neon_int8;
extern const swin2sr__kernels swin2sr__kernels_neon_bf16;
extern const swin2sr__kernels swin2sr__kernels_neon_int8_bf16;

#endif
