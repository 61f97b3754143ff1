/* SPDX-License-Identifier: Apache-2.0
 * kernels/c/block_c.c - the plain C kernels: the reference that every other table is tested against.
 * Formulas and shapes are in kernels.h. The bf16 table rounds the inputs of products but keeps them as floats, so that
 * bf16 results can be checked on any processor. The int8 table has its own linear layers. */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

#define T SWIN2SR__LANES

static float rounded(float value, bool is_bf16) {
    uint32_t bits = swin2sr__bf16_bits(value) << 16;
    if (is_bf16)
        memcpy(&value, &bits, sizeof value);
    return value;
}

static void to_panel_bf16(float *panel, const float *x, int32_t K) {
    for (int32_t i = 0; i < K * T; i++)
        panel[i] = rounded(x[i], true);
}

/* acc[i][t] += sum_k w[k * wk + i * wi] x[k][t] for lanes below `lanes`. */
static void accumulate(float acc[6][T], int32_t width, const float *x, size_t x_stride, const float *w, size_t wk,
                       size_t wi, int32_t K, int32_t lanes) {
    for (int32_t k = 0; k < K; k++) {
        for (int32_t i = 0; i < width; i++) {
            float weight = w[(size_t)k * wk + (size_t)i * wi];
            for (int32_t t = 0; t < lanes; t++)
                acc[i][t] += weight * x[(size_t)k * x_stride + (size_t)t];
        }
    }
}

static void fill_bias(float acc[6][T], int32_t width, const float *bias) {
    for (int32_t i = 0; i < width; i++) {
        for (int32_t t = 0; t < T; t++)
            acc[i][t] = bias[i];
    }
}

static void linear_c(float *y, const float *x, const swin2sr__linear *linear) {
    const float *w = linear->weights;
    int32_t K = linear->inputs;
    for (int32_t n = 0, width; n < linear->outputs; n += width, w += K * width) {
        float acc[6][T];
        width = swin2sr__group_width(linear->outputs - n);
        fill_bias(acc, width, linear->bias + n);
        accumulate(acc, width, x, T, w, (size_t)width, 1, K, T);
        memcpy(y + (size_t)n * T, acc, (size_t)width * sizeof acc[0]);
    }
}

static void to_operand_int8(float *operand, const float *x, int32_t K) {
    memset(operand + T, 0x80, (size_t)((K + 3) / 4) * T * sizeof *operand);
    for (int32_t t = 0; t < T; t++) {
        float range = SWIN2SR__INT8_TINY;
        for (int32_t k = 0; k < K; k++)
            range = fabsf(x[k * T + t]) > range ? fabsf(x[k * T + t]) : range;
        float inverse = SWIN2SR__INT8_MAX / range;
        operand[t] = range * (1.0f / SWIN2SR__INT8_MAX);
        for (int32_t k = 0; k < K; k++) {
            float value = x[k * T + t] * inverse;
            int32_t q = value == value ? (int32_t)rintf(value) : 0; /* NaN and infinity become 0 */
            ((uint8_t *)(operand + T + k / 4 * T + t))[k % 4] = (uint8_t)(q + 128);
        }
    }
}

/* acc[i][t] += sum_k w[k][i] . x[k][t] over words of four bytes. */
static void accumulate_bytes(int32_t acc[6][T], int32_t width, const float *x, const float *w, int32_t words) {
    for (int32_t k = 0; k < words; k++, x += T, w += width) {
        const uint8_t *bytes = (const uint8_t *)x;
        for (int32_t i = 0; i < width; i++) {
            const int8_t *q = (const int8_t *)(w + i);
            for (int32_t t = 0; t < T; t++)
                acc[i][t] +=
                    q[0] * bytes[4 * t] + q[1] * bytes[4 * t + 1] + q[2] * bytes[4 * t + 2] + q[3] * bytes[4 * t + 3];
        }
    }
}

static void linear_int8(float *y, const float *x, const swin2sr__linear *linear) {
    const float *w = linear->weights;
    int32_t words = swin2sr__int8_words(linear->inputs) - 2;
    for (int32_t n = 0, width; n < linear->outputs; n += width, w += (words + 2) * width) {
        int32_t acc[6][T], starts[6];
        width = swin2sr__group_width(linear->outputs - n);
        const float *scales = w + (words + 1) * width;
        memcpy(starts, w + words * width, (size_t)width * sizeof starts[0]);
        for (int32_t i = 0; i < width * T; i++)
            acc[i / T][i % T] = starts[i / T];
        accumulate_bytes(acc, width, x + T, w, words);
        for (int32_t i = 0; i < width; i++) {
            for (int32_t t = 0; t < T; t++)
                y[(n + i) * T + t] = fmaf((float)acc[i][t], x[t] * scales[i], linear->bias[n + i]);
        }
    }
}

static void gelu(float *x, int32_t count, bool is_bf16) {
    for (int32_t i = 0; i < count; i++)
        x[i] = rounded(0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752440f)), is_bf16);
}

static void linear_gelu_c(float *panel, const float *x, const swin2sr__linear *linear) {
    linear_c(panel, x, linear);
    gelu(panel, linear->outputs * T, false);
}

static void linear_gelu_bf16(float *panel, const float *x, const swin2sr__linear *linear) {
    linear_c(panel, x, linear);
    gelu(panel, linear->outputs * T, true);
}

static void linear_gelu_int8(float *panel, const float *x, const swin2sr__linear *linear) {
    linear_int8(panel, x, linear);
    gelu(panel, linear->outputs * T, false);
}

static void sum_squares(float *squares, const float *y, int32_t N) {
    for (int32_t t = 0; t < T; t++) {
        squares[t] = 0.0f;
        for (int32_t n = 0; n < N; n++)
            squares[t] += y[n * T + t] * y[n * T + t];
    }
}

static void linear_squares_c(float *y, float *squares, const float *x, const swin2sr__linear *linear) {
    linear_c(y, x, linear);
    sum_squares(squares, y, linear->outputs);
}

static void linear_squares_int8(float *y, float *squares, const float *x, const swin2sr__linear *linear) {
    linear_int8(y, x, linear);
    sum_squares(squares, y, linear->outputs);
}

/* rows [D][64] *= factor / norm, with a norm of at least 1e-12. */
static void normalize(float *rows, int32_t D, float factor, bool is_bf16) {
    for (int32_t t = 0; t < T; t++) {
        float sum = 0.0f;
        for (int32_t d = 0; d < D; d++)
            sum += rows[d * T + t] * rows[d * T + t];
        float scale = factor / sqrtf(fmaxf(sum, 1e-24f));
        for (int32_t d = 0; d < D; d++)
            rows[d * T + t] = rounded(rows[d * T + t] * scale, is_bf16);
    }
}

/* Logits of all keys to weights 2^(logit - maximum), in place; the maximum is 0 unless the head needs it. */
static void softmax_weights(float *scores, float *sum, const swin2sr__attention_head *head, const uint8_t *region,
                            bool is_bf16) {
    for (int32_t t = 0; t < T; t++) {
        float maximum = head->has_max_pass ? -INFINITY : 0.0f;
        for (int32_t key = 0; head->has_max_pass && key < head->keys; key++) {
            if (!region || region[key] == region[t])
                maximum = fmaxf(maximum, scores[key * T + t]);
        }
        sum[t] = 0.0f;
        for (int32_t key = 0; key < head->keys; key++) {
            bool is_seen = !region || region[key] == region[t];
            scores[key * T + t] = is_seen ? exp2f(scores[key * T + t] - maximum) : 0.0f;
            sum[t] += scores[key * T + t];
            scores[key * T + t] = rounded(scores[key * T + t], is_bf16);
        }
    }
}

static void attention_any(float *out, float *qkv, const swin2sr__attention_head *head, const uint8_t *region,
                          float *scores, bool is_bf16) {
    int32_t D = head->dim;
    float *q = qkv, *k = qkv + D * T, *v = qkv + 2 * D * T;
    float sum[T];
    normalize(q, D, head->scale, is_bf16);
    normalize(k, D, 1.0f, is_bf16);
    for (int32_t i = 0; i < D * T; i++)
        v[i] = rounded(v[i], is_bf16);
    for (int32_t key = 0; key < head->keys; key++) {
        float *row = scores + key * T;
        memcpy(row, head->bias + key * T, T * sizeof *row);
        for (int32_t d = 0; d < D; d++) {
            for (int32_t t = 0; t < T; t++)
                row[t] += k[d * T + key] * q[d * T + t];
        }
    }
    softmax_weights(scores, sum, head, region, is_bf16);
    for (int32_t d = 0; d < D; d++) {
        for (int32_t t = 0; t < T; t++) {
            float value = 0.0f;
            for (int32_t key = 0; key < head->keys; key++)
                value += v[d * T + key] * scores[key * T + t];
            out[d * T + t] = rounded(value / sum[t], is_bf16);
        }
    }
}

static void attention_c(float *out, float *qkv, const swin2sr__attention_head *head, const uint8_t *region,
                        float *scores) {
    attention_any(out, qkv, head, region, scores, false);
}

static void attention_bf16(float *out, float *qkv, const swin2sr__attention_head *head, const uint8_t *region,
                           float *scores) {
    attention_any(out, qkv, head, region, scores, true);
}

static void norm_add_c(float *x, const float *y, const float *squares, const float *gamma, const float *beta,
                       int32_t C) {
    for (int32_t t = 0; t < T; t++) {
        float scale = 1.0f / sqrtf(squares[t] / (float)C + SWIN2SR__NORM_EPS);
        for (int32_t c = 0; c < C; c++)
            x[c * T + t] += y[c * T + t] * scale * gamma[c] + beta[c];
    }
}

static void layer_norm_c(float *x, const float *gamma, const float *beta, int32_t C) {
    for (int32_t t = 0; t < T; t++) {
        float mean = 0.0f, variance = 0.0f;
        for (int32_t c = 0; c < C; c++)
            mean += x[c * T + t];
        mean /= (float)C;
        for (int32_t c = 0; c < C; c++)
            variance += (x[c * T + t] - mean) * (x[c * T + t] - mean);
        float scale = 1.0f / sqrtf(variance / (float)C + SWIN2SR__NORM_EPS);
        for (int32_t c = 0; c < C; c++)
            x[c * T + t] = (x[c * T + t] - mean) * scale * gamma[c] + beta[c];
    }
}

static void conv_row(float *y, const swin2sr__conv *conv, int32_t row) {
    const swin2sr__linear *linear = conv->linear;
    const float *w = linear->weights;
    int32_t lanes = conv->units * SWIN2SR__UNIT;
    for (int32_t n = 0, width; n < linear->outputs; n += width) {
        float acc[6][T];
        width = swin2sr__group_width(linear->outputs - n);
        fill_bias(acc, width, linear->bias + n);
        for (int32_t i = 0; i < conv->inputs_count; i++) {
            const swin2sr__conv_input *in = &conv->inputs[i];
            for (int32_t ky = 0; ky < 3; ky++) {
                const float *x = in->rows[row + ky] - 1;
                for (int32_t c = 0; c < in->channels; c++, w += 3 * width, x += in->strides[row + ky])
                    accumulate(acc, width, x, 1, w, (size_t)width, 1, 3, lanes);
            }
        }
        for (int32_t i = 0; i < width; i++) {
            for (int32_t t = 0; t < lanes; t++)
                y[(n + i) * T + t] = acc[i][t] > 0.0f ? acc[i][t] : conv->slope * acc[i][t];
        }
    }
}

static void conv3x3_c(float *y, const swin2sr__conv *conv) {
    for (int32_t row = 0; row < conv->rows; row++)
        conv_row(y + (size_t)row * (size_t)conv->linear->outputs * T, conv, row);
}

static uint8_t to_byte(float value) {
    float scaled = value * 255.0f + 0.5f;
    return !(scaled > 0.0f) ? 0 : scaled >= 255.0f ? 255 : (uint8_t)scaled;
}

static void put_bytes_c(uint8_t *pixels, const float *values, int32_t r, int32_t channels, int32_t count, float factor,
                        const float *mean) {
    for (int32_t i = 0; i < count; i++) {
        for (int32_t c = 0; c < channels; c++)
            pixels[i * channels + c] = to_byte(values[(c * r * r + i % r) * T + i / r] * factor + mean[c]);
    }
}

static void gather_c(float *x, const float *const cells[4], int32_t C) {
    for (int32_t c = 0; c < C; c++) {
        for (int32_t s = 0; s < 4; s++)
            memcpy(x + c * T + s * SWIN2SR__UNIT, cells[s] + c * SWIN2SR__UNIT, SWIN2SR__UNIT * sizeof *x);
    }
}

static void scatter_c(float *const cells[4], const float *x, int32_t C) {
    for (int32_t c = 0; c < C; c++) {
        for (int32_t s = 0; s < 4; s++)
            memcpy(cells[s] + c * SWIN2SR__UNIT, x + c * T + s * SWIN2SR__UNIT, SWIN2SR__UNIT * sizeof *x);
    }
}

static double fma_burst_c(int32_t shape) {
    float acc[16];
    (void)shape;
    for (int i = 0; i < 16; i++)
        acc[i] = (float)i;
    for (int n = 0; n < 100000; n++) {
        for (int i = 0; i < 16; i++)
            acc[i] = acc[i] * 0.999f + 0.001f;
        __asm__ volatile("" : : "r"(acc) : "memory");
    }
    return 16.0 * 100000.0;
}

/* clang-format off */
#define SHARED                                                                                                        \
    .pair = 1, .taps = 9, .tile = 1, .norm_add = norm_add_c, .layer_norm = layer_norm_c, .conv3x3 = conv3x3_c,                     \
    .conv3x3_panel = conv3x3_c, .put_bytes = put_bytes_c, .gather = gather_c, .scatter = scatter_c
/* clang-format on */

const swin2sr__kernels swin2sr__kernels_c = {
    .name = "c",
    .precision = SWIN2SR_PRECISION_FP32,
    .pack_linear = swin2sr__pack_linear,
    .pack_conv = swin2sr__pack_conv,
    .linear = linear_c,
    .linear_gelu = linear_gelu_c,
    .linear_squares = linear_squares_c,
    .attention = attention_c,
    .fma_burst = fma_burst_c,
    SHARED,
};

const swin2sr__kernels swin2sr__kernels_c_bf16 = {
    .name = "c_bf16",
    .precision = SWIN2SR_PRECISION_BF16,
    .pack_linear = swin2sr__pack_linear_rounded,
    .pack_conv = swin2sr__pack_conv_rounded,
    .to_panel = to_panel_bf16,
    .linear = linear_c,
    .linear_gelu = linear_gelu_bf16,
    .linear_squares = linear_squares_c,
    .attention = attention_bf16,
    SHARED,
};

const swin2sr__kernels swin2sr__kernels_c_int8 = {
    .name = "c_int8",
    .precision = SWIN2SR_PRECISION_INT8,
    .pack_linear = swin2sr__pack_linear_int8,
    .pack_conv = swin2sr__pack_conv,
    .to_operand = to_operand_int8,
    .linear = linear_int8,
    .linear_gelu = linear_gelu_int8,
    .linear_squares = linear_squares_int8,
    .attention = attention_c,
    SHARED,
};
