/* SPDX-License-Identifier: Apache-2.0
 * kernels/simd/block_simd.h - kernels in one source for every vector width, and for fp32, bf16 and int8 products.
 * In: the including file (x86/fp32_avx512.c, x86/bf16_avx512.c, ...) first defines
 *   vf, VL                       the vector type, and the floats in it
 *   v_load v_store v_set v_bcast v_fma v_fnma v_add v_sub v_mul v_div v_sqrt v_max v_min v_abs
 *   v_scale(v, whole)            v * 2^whole, for v in 1/2..2 and whole = v_whole(x), x in -126..126
 *   v_whole(x), v_fraction(x, whole)   the nearest integer, and x minus it; defaults are below
 *   v_store_bytes(p, v)          VL values in 0..255.99 as bytes, without their fractions
 *   v_keep(v, region, t, key)    v in the lanes from t on whose region equals region[key], else 0
 *   MAIN                         vectors of the widest register tile: 4 (AVX-512: 64 lanes x 6; NEON: 16), 2 (AVX2: 16)
 *   PAIR                         values in 32 bits of a panel: 1 (fp32) or 2 (bf16)
 *   v_dot(b, x, acc)             acc + the PAIR products of b and x
 *   v_store_panel(p, n, lo, hi)  channels n (even) and n + 1 into the panel p [K / PAIR][64]
 *   compact_row(p, row)          64 floats of row as 64 / PAIR panel values
 *   v_low_half(word), v_high_half(word)   bf16 only: channels n (even) and n + 1 from a word of a panel
 *   TABLE, TABLE_NAME, PACK_LINEAR, PACK_CONV
 *   TILES                        bf16 only, optional: the header with the linear layers, attention and convolutions
 * and for int8 linear layers, where vf holds the bits of words,
 *   IS_INT8                      1
 *   v_bytes(values)              four vectors as words of an operand: rounded to nearest, NaN to 0; + 128
 *   v_dot_ints(b, x, acc)        acc + the four products of weights b and activations x
 *   v_from_ints(acc)             integers to floats
 * A register tile is six outputs (or four) by MAIN vectors. Every accumulator is a variable of its own: gcc keeps an
 * array that a loop updates in memory, which costs two thirds of the speed. */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

#ifndef IS_INT8
#define IS_INT8 0
#define v_dot_ints v_dot
#define v_from_ints(a) (a)
#endif

#define T SWIN2SR__LANES
#define INLINE static inline __attribute__((always_inline))

/* clang-format off */
#define ROWS_6(M, V) M(0, V) M(1, V) M(2, V) M(3, V) M(4, V) M(5, V)
#define ROWS_4(M, V) M(0, V) M(1, V) M(2, V) M(3, V)

#define IN_1(i) vf a##i##0 = acc[i][0];
#define IN_2(i) IN_1(i) vf a##i##1 = acc[i][1];
#define IN_4(i) IN_2(i) vf a##i##2 = acc[i][2], a##i##3 = acc[i][3];
#define OUT_1(i) acc[i][0] = a##i##0;
#define OUT_2(i) OUT_1(i) acc[i][1] = a##i##1;
#define OUT_4(i) OUT_2(i) acc[i][2] = a##i##2, acc[i][3] = a##i##3;
#define LOAD_1(p) vf x0 = v_load(p);
#define LOAD_2(p) LOAD_1(p) vf x1 = v_load((p) + VL);
#define LOAD_4(p) LOAD_2(p) vf x2 = v_load((p) + 2 * VL), x3 = v_load((p) + 3 * VL);
#define ADD_1(i) a##i##0 = MULTIPLY_ADD(b, x0, a##i##0);
#define ADD_2(i) ADD_1(i) a##i##1 = MULTIPLY_ADD(b, x1, a##i##1);
#define ADD_4(i) ADD_2(i) a##i##2 = MULTIPLY_ADD(b, x2, a##i##2), a##i##3 = MULTIPLY_ADD(b, x3, a##i##3);
#define ROW_IN(i, V) IN_##V(i)
#define ROW_OUT(i, V) OUT_##V(i)
#define ROW_ADD(i, V) { vf b = v_bcast(w + (i) * wi); ADD_##V(i) }
#define STEP(R, V, p) { LOAD_##V(p) ROWS_##R(ROW_ADD, V) }
/* `type` is always a constant. */
#define MULTIPLY_ADD(b, x, a) (type == INTEGERS ? v_dot_ints(b, x, a) : type == PANEL ? v_dot(b, x, a) : v_fma(b, x, a))

typedef enum word_type {
    FLOATS,
    PANEL,
    INTEGERS
} word_type;

/* product_RxV: acc[R][V] += sum_k w[k * wk + i * wi] . x[k * T ..] over K rows of a panel or an operand.
 * convolve_RxV: that sum over `rows` rows of each input from row `y` on, its channels and kx, of words or floats. */
#define DEFINE_TILE(R, V)                                                                                              \
    INLINE void product_##R##x##V(vf acc[6][4], const float *x, const float *w, ptrdiff_t wk, ptrdiff_t wi,            \
                                  int32_t K, const word_type type) {                                                   \
        ROWS_##R(ROW_IN, V)                                                                                            \
        for (int32_t k = 0; k < K; k++, x += T, w += wk)                                                               \
            STEP(R, V, x)                                                                                              \
        ROWS_##R(ROW_OUT, V)                                                                                           \
    }                                                                                                                  \
    INLINE void convolve_##R##x##V(vf acc[6][4], const swin2sr__conv_input *inputs, int32_t count, int32_t y,          \
                                   int32_t rows, ptrdiff_t t, const float *w, const word_type type) {                  \
        enum { wi = 1 };                                                                                               \
        ROWS_##R(ROW_IN, V)                                                                                            \
        for (int32_t i = 0; i < count; i++) {                                                                          \
            for (int32_t ky = y; ky < y + rows; ky++) {                                                                \
                const float *x = inputs[i].rows[ky] + t;                                                               \
                for (int32_t c = 0; c < inputs[i].channels; c++, x += inputs[i].strides[ky]) {                         \
                    STEP(R, V, x - 1)                                                                                  \
                    w += R;                                                                                            \
                    STEP(R, V, x)                                                                                      \
                    w += R;                                                                                            \
                    STEP(R, V, x + 1)                                                                                  \
                    w += R;                                                                                            \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        ROWS_##R(ROW_OUT, V)                                                                                           \
    }
/* clang-format on */

#define UNIT_VECTORS (SWIN2SR__UNIT / VL)
#if MAIN == 4
DEFINE_TILE(6, 4)
DEFINE_TILE(4, 4)
DEFINE_TILE(6, 1)
DEFINE_TILE(4, 1)
#define PRODUCT_6 product_6x4
#define PRODUCT_4 product_4x4
#define CONVOLVE_6 convolve_6x4
#define CONVOLVE_4 convolve_4x4
#define CONVOLVE_UNIT_6 convolve_6x1
#define CONVOLVE_UNIT_4 convolve_4x1
#else
DEFINE_TILE(6, 2)
DEFINE_TILE(4, 2)
#define PRODUCT_6 product_6x2
#define PRODUCT_4 product_4x2
#define CONVOLVE_6 convolve_6x2
#define CONVOLVE_4 convolve_4x2
#define CONVOLVE_UNIT_6 convolve_6x2
#define CONVOLVE_UNIT_4 convolve_4x2
#endif
#define STRIDE (MAIN * VL) /* lanes of one register tile */

INLINE void product(vf acc[6][4], int32_t width, const float *x, const float *w, ptrdiff_t wk, ptrdiff_t wi,
                    int32_t K) {
    if (width == 6)
        PRODUCT_6(acc, x, w, wk, wi, K, PANEL);
    else
        PRODUCT_4(acc, x, w, wk, wi, K, PANEL);
}

/* Operand and packed weights have constant strides, so that broadcasts need no address arithmetic. */
INLINE void product_packed(vf acc[6][4], int32_t width, const float *x, const float *w, int32_t K) {
    if (width == 6)
        PRODUCT_6(acc, x, w, 6, 1, K, IS_INT8 ? INTEGERS : PANEL);
    else
        PRODUCT_4(acc, x, w, 4, 1, K, IS_INT8 ? INTEGERS : PANEL);
}

/* The integer in the lowest bits of a float. */
#ifndef v_whole
#define V_SHIFT 0x1.8p23f
#define v_whole(x) v_add(x, v_set(V_SHIFT))
#define v_fraction(x, whole) v_sub(x, v_sub(whole, v_set(V_SHIFT)))
#endif

/* The polynomials of 2^x on [-1/2, 1/2] and of the tail of GELU: (TERM) for each term, the highest power first. */
/* clang-format off */
#if IS_INT8 || PAIR > 1
/* Results are rounded to 8 bits or to bf16, by 2e-3 of their size. Relative error below 7.5e-5; GELU 2e-5. */
#define EXP2_TERMS(TERM) \
    TERM(0.0551713407f) TERM(0.2426111698f) TERM(0.6932610273f) TERM(0.9999280572f)
#define GELU_TERMS(TERM) \
    TERM(0.00386628875f) TERM(-0.0440794142f) TERM(-0.468014564f) TERM(-1.14737246f) \
    TERM(-1.00047959f)
#else
/* Relative error below 1.5e-7; GELU 1e-7. */
#define EXP2_TERMS(TERM) \
    TERM(0.0013276472f) TERM(0.0096755419f) TERM(0.0555071309f) TERM(0.2402212024f) \
    TERM(0.6931469440f) TERM(1.0000001192f)
#define GELU_TERMS(TERM) \
    TERM(3.30928298e-05f) TERM(-0.000769219822f) TERM(0.00808071689f) TERM(-0.0534121046f) \
    TERM(-0.458770973f) TERM(-1.1512017f) TERM(-0.999993061f)
#endif
/* clang-format on */

#define ONE(value) +1
enum {
    EXP2_DEGREE = EXP2_TERMS(ONE) - 1,
    GELU_DEGREE = GELU_TERMS(ONE) - 1
};

/* One vector per term. */
typedef struct terms {
    float exp2[EXP2_DEGREE + 1][VL], tail[GELU_DEGREE + 1][VL];
} terms;

/* clang-format off */
#define SPREAD(value) {[0 ... VL - 1] = value},
static const __attribute__((aligned(64))) terms polynomials = {{EXP2_TERMS(SPREAD)}, {GELU_TERMS(SPREAD)}};
/* clang-format on */

/* 2^x for x in -126..126. */
INLINE vf v_exp2(vf x) {
    vf n = v_whole(x), f = v_fraction(x, n), p = v_load(polynomials.exp2[0]);
    for (int32_t i = 1; i <= EXP2_DEGREE; i++)
        p = v_fma(p, f, v_load(polynomials.exp2[i]));
    return v_scale(p, n);
}

/* x/2 (1 + erf(x / sqrt 2)) = max(x, 0) - |x| * tail(|x|); the tail is 2 to the power of a polynomial, 0 above 6. */
INLINE vf v_gelu(vf x) {
    vf z = v_min(v_abs(x), v_set(6.0f)), p = v_load(polynomials.tail[0]);
    for (int32_t i = 1; i <= GELU_DEGREE; i++)
        p = v_fma(p, z, v_load(polynomials.tail[i]));
    return v_fnma(z, v_exp2(p), v_max(v_set(0.0f), x));
}

typedef enum linear_end {
    LINEAR_PLAIN,
    LINEAR_GELU,
    LINEAR_SQUARES
} linear_end;

/* From sums to y = sum * (scale of the token * scale of the output) + bias. */
INLINE void scale_sums(vf acc[6][4], int32_t width, const float *token_scales, const float *scales, const float *bias) {
    for (int32_t i = 0; i < width; i++) {
        vf scale = v_bcast(scales + i), b = v_bcast(bias + i);
        for (int32_t j = 0; j < MAIN; j++)
            acc[i][j] = v_fma(v_from_ints(acc[i][j]), v_mul(v_load(token_scales + j * VL), scale), b);
    }
}

INLINE void linear_lanes(float *y, float *squares, const float *x, const float *w, const float *bias, int32_t rows,
                         int32_t width, linear_end end) {
    const float *starts = IS_INT8 ? w + rows * width : bias;
    vf acc[6][4];
    for (int32_t i = 0; i < width; i++) {
        for (int32_t j = 0; j < MAIN; j++)
            acc[i][j] = v_bcast(starts + i);
    }
    product_packed(acc, width, x + (IS_INT8 ? T : 0), w, rows);
    if (IS_INT8)
        scale_sums(acc, width, x, starts + width, bias);
    for (int32_t j = 0; j < MAIN; j++) {
        vf sum = end == LINEAR_SQUARES ? v_load(squares + j * VL) : v_set(0.0f);
        for (int32_t i = 0; i < width; i += 2) {
            vf lo = acc[i][j], hi = acc[i + 1][j];
            if (end == LINEAR_SQUARES)
                sum = v_fma(hi, hi, v_fma(lo, lo, sum));
            v_store(y + i * T + j * VL, lo);
            v_store(y + (i + 1) * T + j * VL, hi);
        }
        if (end == LINEAR_SQUARES)
            v_store(squares + j * VL, sum);
    }
}

/* GELU of a group's sums [width][64], into the panel. Not inlined, or its constants would take registers from the
 * accumulators of the products. */
static __attribute__((noinline)) void gelu_rows(float *panel, const float *sums, int32_t width) {
    for (int32_t i = 0; i < width; i += 2) {
        for (int32_t t = 0; t < T; t += VL)
            v_store_panel(panel + t, i, v_gelu(v_load(sums + i * T + t)), v_gelu(v_load(sums + (i + 1) * T + t)));
    }
}

#ifndef TILES
INLINE void linear_any(float *y, float *squares, const float *x, const swin2sr__linear *linear, linear_end end) {
    const float *w = linear->weights;
    int32_t words = swin2sr__linear_words(&TABLE, linear->inputs), rows = words - (IS_INT8 ? 2 : 0), n = 0;
    while (n < linear->outputs) {
        int32_t width = swin2sr__group_width(linear->outputs - n);
        float sums[6 * T] __attribute__((aligned(64))), *out = end == LINEAR_GELU ? sums : y + n * T;
        for (int32_t t = 0; t < T; t += STRIDE) {
            if (width == 6)
                linear_lanes(out + t, squares + t, x + t, w, linear->bias + n, rows, 6, end);
            else
                linear_lanes(out + t, squares + t, x + t, w, linear->bias + n, rows, 4, end);
        }
        if (end == LINEAR_GELU)
            gelu_rows(y + n / PAIR * T, sums, width);
        n += width;
        w += (ptrdiff_t)words * width;
    }
}

static void linear_simd(float *y, const float *x, const swin2sr__linear *linear) {
    float unused[T];
    linear_any(y, unused, x, linear, LINEAR_PLAIN);
}

static void linear_gelu_simd(float *panel, const float *x, const swin2sr__linear *linear) {
    float unused[T];
    linear_any(panel, unused, x, linear, LINEAR_GELU);
}

static void linear_squares_simd(float *y, float *squares, const float *x, const swin2sr__linear *linear) {
    memset(squares, 0, T * sizeof *squares);
    linear_any(y, squares, x, linear, LINEAR_SQUARES);
}
#endif

/* Rows [D][64] times factor / norm, as a panel in place. */
INLINE void normalize(float *rows, int32_t D, float factor) {
    for (int32_t t = 0; t < T; t += VL) {
        vf sum = v_set(0.0f);
        for (int32_t d = 0; d < D; d++) {
            vf value = v_load(rows + d * T + t);
            sum = v_fma(value, value, sum);
        }
        vf scale = v_div(v_set(factor), v_sqrt(v_max(sum, v_set(1e-24f))));
        for (int32_t d = 0; d < D; d += 2)
            v_store_panel(rows + t, d, v_mul(v_load(rows + d * T + t), scale),
                          v_mul(v_load(rows + (d + 1) * T + t), scale));
    }
}

/* The logits of `width` keys from `key` on, for the lanes from t on. */
INLINE void score_tile(float *scores, const float *q, const float *k, const swin2sr__attention_head *head, int32_t key,
                       int32_t t, int32_t width) {
    vf acc[6][4];
    for (int32_t i = 0; i < width; i++) {
        for (int32_t j = 0; j < MAIN; j++)
            acc[i][j] = v_load(head->bias + (key + i) * T + t + j * VL);
    }
    product(acc, width, q + t, k + key, T, 1, head->dim / PAIR);
    for (int32_t i = 0; i < width; i++) {
        for (int32_t j = 0; j < MAIN; j++)
            v_store(scores + (key + i) * T + t + j * VL, acc[i][j]);
    }
}

/* The largest logit of each lane, over the keys in its region. */
INLINE vf find_maximum(const float *scores, int32_t keys, const uint8_t *region, int32_t t) {
    vf maximum = v_set(-INFINITY);
    for (int32_t key = 0; key < keys; key++) {
        vf logit = v_load(scores + key * T + t);
        if (region) { /* -1e30 for a key of another region */
            vf shown = v_keep(v_set(1e30f), region, t, key);
            logit = v_add(v_keep(logit, region, t, key), v_sub(shown, v_set(1e30f)));
        }
        maximum = v_max(maximum, logit);
    }
    return maximum;
}

/* From logits to weights, as a panel in place; returns the inverse of their sum. */
INLINE vf exponentiate(float *scores, const swin2sr__attention_head *head, const uint8_t *region, int32_t t) {
    vf sum = v_set(0.0f), maximum = sum;
    if (head->has_max_pass)
        maximum = find_maximum(scores, head->keys, region, t);
    for (int32_t key = 0; key < head->keys; key += 2) {
        vf lo = v_load(scores + key * T + t), hi = v_load(scores + (key + 1) * T + t);
        if (head->has_max_pass) {
            lo = v_max(v_set(-126.0f), v_sub(lo, maximum));
            hi = v_max(v_set(-126.0f), v_sub(hi, maximum));
        }
        lo = v_exp2(lo), hi = v_exp2(hi);
        if (region) {
            lo = v_keep(lo, region, t, key);
            hi = v_keep(hi, region, t, key + 1);
        }
        sum = v_add(v_add(sum, lo), hi);
        v_store_panel(scores + t, key, lo, hi);
    }
    return v_div(v_set(1.0f), sum);
}

/* For the lanes of one register tile; a function of its own for the reason given at gelu_rows. */
static __attribute__((noinline)) void softmax(float *scores, float *shares, const swin2sr__attention_head *head,
                                              const uint8_t *region, int32_t t) {
    for (int32_t j = 0; j < STRIDE; j += VL) {
        if (region)
            v_store(shares + j, exponentiate(scores, head, region, t + j));
        else
            v_store(shares + j, exponentiate(scores, head, NULL, t + j));
    }
}

/* `width` channels of scores x v for the lanes from t on, into the panel. */
INLINE void value_tile(float *out, const float *scores, const float *v, const float *shares, int32_t keys, int32_t d,
                       int32_t t, int32_t width) {
    vf acc[6][4];
    for (int32_t i = 0; i < width; i++) {
        for (int32_t j = 0; j < MAIN; j++)
            acc[i][j] = v_set(0.0f);
    }
    product(acc, width, scores + t, v + d * (T / PAIR), 1, T / PAIR, keys / PAIR);
    for (int32_t i = 0; i < width; i += 2) {
        for (int32_t j = 0; j < MAIN; j++)
            v_store_panel(out + t + j * VL, d + i, v_mul(acc[i][j], v_load(shares + j * VL)),
                          v_mul(acc[i + 1][j], v_load(shares + j * VL)));
    }
}

static void attention_simd(float *out, float *qkv, const swin2sr__attention_head *head, const uint8_t *region,
                           float *scores) {
    int32_t D = head->dim;
    const float *q = qkv, *k = qkv + D * T, *v = qkv + 2 * D * T;
    normalize(qkv, D, head->scale);
    normalize(qkv + D * T, D, 1.0f);
    for (int32_t d = 0; d < D && PAIR > 1; d++)
        compact_row(qkv + 2 * D * T + d * (T / PAIR), qkv + (2 * D + d) * T);
    for (int32_t t = 0; t < T; t += STRIDE) {
        float shares[STRIDE] __attribute__((aligned(64)));
        for (int32_t key = 0, width; key < head->keys; key += width) {
            width = swin2sr__group_width(head->keys - key);
            if (width == 6)
                score_tile(scores, q, k, head, key, t, 6);
            else
                score_tile(scores, q, k, head, key, t, 4);
        }
        softmax(scores, shares, head, region, t);
        for (int32_t d = 0, width; d < D; d += width) {
            width = swin2sr__group_width(D - d);
            if (width == 6)
                value_tile(out, scores, v, shares, head->keys, d, t, 6);
            else
                value_tile(out, scores, v, shares, head->keys, d, t, 4);
        }
    }
}

static void to_panel_simd(float *panel, const float *x, int32_t K) {
    for (int32_t k = 0; k < K; k += 2) {
        for (int32_t t = 0; t < T; t += VL) {
            vf hi = k + 1 < K ? v_load(x + (k + 1) * T + t) : v_set(0.0f);
            v_store_panel(panel + t, k, v_load(x + k * T + t), hi);
        }
    }
}

#if IS_INT8
/* Four channels from k (a multiple of four) on from a panel of K; 0 past its end. */
INLINE void load_channels(vf values[4], const float *panel, int32_t k, int32_t K) {
    for (int32_t i = 0; i < 4; i++) {
        vf word = k + i < K ? v_load(panel + (k + i) / PAIR * T) : v_set(0.0f);
#if PAIR > 1
        word = i % 2 ? v_high_half(word) : v_low_half(word);
#endif
        values[i] = word;
    }
}

static void to_operand_simd(float *operand, const float *panel, int32_t K) {
    for (int32_t t = 0; t < T; t += VL) {
        float *words = operand + T + t;
        vf range = v_set(SWIN2SR__INT8_TINY), values[4];
        for (int32_t k = 0; k < K; k += 4) {
            load_channels(values, panel + t, k, K);
            for (int32_t i = 0; i < 4; i++)
                range = v_max(v_abs(values[i]), range);
        }
        vf inverse = v_div(v_set(SWIN2SR__INT8_MAX), range);
        v_store(operand + t, v_mul(range, v_set(1.0f / SWIN2SR__INT8_MAX)));
        for (int32_t k = 0; k < K; k += 4, words += T) {
            load_channels(values, panel + t, k, K);
            for (int32_t i = 0; i < 4; i++)
                values[i] = v_mul(values[i], inverse);
            v_store(words, v_bytes(values));
        }
    }
}
#endif

static void norm_add_simd(float *x, const float *y, const float *squares, const float *gamma, const float *beta,
                          int32_t C) {
    vf scale[T / VL];
    for (int32_t j = 0; j < T / VL; j++) {
        vf variance = v_fma(v_load(squares + j * VL), v_set(1.0f / (float)C), v_set(SWIN2SR__NORM_EPS));
        scale[j] = v_div(v_set(1.0f), v_sqrt(variance));
    }
    for (int32_t c = 0; c < C; c++) {
        vf g = v_bcast(gamma + c), b = v_bcast(beta + c);
        for (int32_t j = 0; j < T / VL; j++) {
            ptrdiff_t at = c * T + j * VL;
            v_store(x + at, v_add(v_load(x + at), v_fma(v_mul(v_load(y + at), scale[j]), g, b)));
        }
    }
}

static void layer_norm_simd(float *x, const float *gamma, const float *beta, int32_t C) {
    for (int32_t t = 0; t < T; t += VL) {
        vf mean = v_set(0.0f), variance = v_set(0.0f);
        for (int32_t c = 0; c < C; c++)
            mean = v_add(mean, v_load(x + c * T + t));
        mean = v_mul(mean, v_set(1.0f / (float)C));
        for (int32_t c = 0; c < C; c++) {
            vf centred = v_sub(v_load(x + c * T + t), mean);
            variance = v_fma(centred, centred, variance);
        }
        variance = v_fma(variance, v_set(1.0f / (float)C), v_set(SWIN2SR__NORM_EPS));
        vf scale = v_div(v_set(1.0f), v_sqrt(variance));
        for (int32_t c = 0; c < C; c++) {
            vf centred = v_mul(v_sub(v_load(x + c * T + t), mean), scale);
            v_store(x + c * T + t, v_fma(centred, v_bcast(gamma + c), v_bcast(beta + c)));
        }
    }
}

#include "kernels/simd/conv.h"

/* First bytes by channel, which are then interleaved. The time hardly counts: 3 bytes per 1.1 M multiply-adds. */
static void put_bytes_simd(uint8_t *pixels, const float *values, int32_t r, int32_t channels, int32_t count,
                           float factor, const float *mean) {
    uint8_t bytes[3][SWIN2SR__MAX_SHUFFLE][T];
    for (int32_t c = 0; c < channels; c++) {
        for (int32_t dx = 0; dx < r; dx++) {
            for (int32_t t = 0; t < T; t += VL) {
                vf value = v_fma(v_load(values + (c * r * r + dx) * T + t), v_set(factor), v_set(mean[c]));
                value = v_fma(value, v_set(255.0f), v_set(0.5f));
                v_store_bytes(bytes[c][dx] + t, v_min(v_max(value, v_set(0.0f)), v_set(255.0f)));
            }
        }
    }
    for (int32_t t = 0; t * r < count; t++) {
        for (int32_t dx = 0; dx < r && t * r + dx < count; dx++) {
            for (int32_t c = 0; c < channels; c++)
                *pixels++ = bytes[c][dx][t];
        }
    }
}

static void gather_simd(float *x, const float *const cells[4], int32_t C) {
    for (int32_t c = 0; c < C; c++) {
        for (int32_t s = 0; s < 4; s++) {
            for (int32_t j = 0; j < SWIN2SR__UNIT; j += VL)
                v_store(x + c * T + s * SWIN2SR__UNIT + j, v_load(cells[s] + c * SWIN2SR__UNIT + j));
        }
    }
}

static void scatter_simd(float *const cells[4], const float *x, int32_t C) {
    for (int32_t c = 0; c < C; c++) {
        for (int32_t s = 0; s < 4; s++) {
            for (int32_t j = 0; j < SWIN2SR__UNIT; j += VL)
                v_store(cells[s] + c * SWIN2SR__UNIT + j, v_load(x + c * T + s * SWIN2SR__UNIT + j));
        }
    }
}

#ifdef TILES
#include TILES
#else
/* Independent chains of the table's products. Twelve fit every processor; 24 need 32 registers and hide products with a
 * longer latency. An operand changes in each step, or the compiler would move the products out of the loop. */
#define CHAIN(i)                                                 \
    a##i = IS_INT8 ? v_dot_ints(m, b, a##i) : v_dot(m, b, a##i); \
    __asm__ volatile("" : "+" V_CONSTRAINT(a##i), "+" V_CONSTRAINT(m));
/* clang-format off */
#define CHAINS_12(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
#define CHAINS_24(M) CHAINS_12(M) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23)
#define START(i) vf a##i = v_set(0.0f);
/* clang-format on */
#define BURST(CHAINS)                                \
    {                                                \
        CHAINS(START)                                \
        for (int32_t i = 0; i < BURST_ROUNDS; i++) { \
            CHAINS(CHAIN)                            \
        }                                            \
    }

enum {
    BURST_ROUNDS = 20000
};

static double fma_burst_simd(int32_t shape) {
    vf m = v_set(0.999f), b = v_set(0.001f);
    double macs = (double)BURST_ROUNDS * VL * (IS_INT8 ? 4 : PAIR);
    if (shape == 0 || MAIN < 4) {
        BURST(CHAINS_12)
        return 12.0 * macs;
    }
    BURST(CHAINS_24)
    return 24.0 * macs;
}
#endif

const swin2sr__kernels TABLE = {
    .name = TABLE_NAME,
    .pair = PAIR,
    .taps = PAIR > 1 ? 9 : 18,
    .pack_conv = PACK_CONV,
#ifdef TILES
    .tile = SWIN2SR__TILE,
    .task_begin = task_begin_tiles,
    .task_end = tiles_release,
    .linear = linear_tiles,
    .linear_gelu = linear_gelu_tiles,
    .linear_squares = linear_squares_tiles,
    .attention = attention_tiles,
    .conv3x3_panel = conv3x3_panel_tiles,
    .fma_burst = fma_burst_tiles,
#else
    .tile = 1,
    .linear = linear_simd,
    .linear_gelu = linear_gelu_simd,
    .linear_squares = linear_squares_simd,
    .attention = attention_simd,
    .conv3x3_panel = conv3x3_panel_simd,
    .fma_burst = fma_burst_simd,
#endif
#if IS_INT8
    .precision = SWIN2SR_PRECISION_INT8,
    .pack_linear = swin2sr__pack_linear_int8,
    .to_operand = to_operand_simd,
#else
    .precision = PAIR > 1 ? SWIN2SR_PRECISION_BF16 : SWIN2SR_PRECISION_FP32,
    .pack_linear = PACK_LINEAR,
#endif
    .to_panel = PAIR > 1 ? to_panel_simd : NULL,
    .norm_add = norm_add_simd,
    .layer_norm = layer_norm_simd,
    .conv3x3 = conv3x3_simd,
    .put_bytes = put_bytes_simd,
    .gather = gather_simd,
    .scatter = scatter_simd,
};
