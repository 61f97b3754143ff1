/* SPDX-License-Identifier: Apache-2.0
 * kernels/pack.c - pack weights into the kernels' layout, when a model is opened. */
#include "kernels/pack.h"

#include <math.h>
#include <stdbool.h>

int32_t swin2sr__pack_outputs(int32_t outputs) {
    return outputs < 4 ? 4 : (outputs + 1) / 2 * 2;
}

static float as_is(float value) {
    return value;
}

static float as_bf16(float value) {
    uint32_t bits = swin2sr__bf16_bits(value) << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void pack_singles(float *dst, const float *weights, int32_t outputs, int32_t inputs, float (*rounded)(float)) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    for (int32_t n = 0, width; n < padded; n += width) {
        width = swin2sr__group_width(padded - n);
        for (int32_t k = 0; k < inputs; k++) {
            for (int32_t i = 0; i < width; i++)
                *dst++ = n + i < outputs ? rounded(weights[(size_t)(n + i) * (size_t)inputs + (size_t)k]) : 0.0f;
        }
    }
}

void swin2sr__pack_linear(float *dst, const float *weights, int32_t outputs, int32_t inputs) {
    pack_singles(dst, weights, outputs, inputs, as_is);
}

void swin2sr__pack_linear_rounded(float *dst, const float *weights, int32_t outputs, int32_t inputs) {
    pack_singles(dst, weights, outputs, inputs, as_bf16);
}

static uint32_t bf16_word(float low, float high) {
    return swin2sr__bf16_bits(high) << 16 | swin2sr__bf16_bits(low);
}

void swin2sr__pack_linear_bf16(float *dst, const float *weights, int32_t outputs, int32_t inputs) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    for (int32_t n = 0, width; n < padded; n += width) {
        width = swin2sr__group_width(padded - n);
        for (int32_t k = 0; k < inputs; k += 2) {
            for (int32_t i = 0; i < width; i++, dst++) {
                const float *row = weights + (size_t)(n + i) * (size_t)inputs;
                bool is_there = n + i < outputs;
                uint32_t word = is_there ? bf16_word(row[k], k + 1 < inputs ? row[k + 1] : 0.0f) : 0;
                memcpy(dst, &word, sizeof word);
            }
        }
    }
}

/* One output, with its words `width` apart in dst. Weights that are all tiny become 0. */
static void pack_output_int8(float *dst, int32_t width, const float *row, int32_t inputs) {
    float range = 0.0f, scale;
    int32_t sum = 0;
    for (int32_t k = 0; k < inputs; k++)
        range = fmaxf(range, fabsf(row[k]));
    scale = range > 1e-30f ? range / 64.0f : 0.0f;
    for (int32_t k = 0; k < inputs; k++) {
        int32_t q = scale > 0.0f ? (int32_t)rintf(row[k] / scale) : 0;
        ((int8_t *)(dst + k / 4 * width))[k % 4] = (int8_t)q;
        sum += q;
    }
    dst += (inputs + 3) / 4 * width;
    sum *= -128;
    memcpy(dst, &sum, sizeof sum);
    dst[width] = scale;
}

void swin2sr__pack_linear_int8(float *dst, const float *weights, int32_t outputs, int32_t inputs) {
    int32_t padded = swin2sr__pack_outputs(outputs), words = swin2sr__int8_words(inputs);
    memset(dst, 0, (size_t)padded * (size_t)words * sizeof *dst);
    for (int32_t n = 0, width; n < padded; n += width, dst += (ptrdiff_t)words * width) {
        width = swin2sr__group_width(padded - n);
        for (int32_t i = 0; i < width && n + i < outputs; i++)
            pack_output_int8(dst + i, width, weights + (size_t)(n + i) * (size_t)inputs, inputs);
    }
}

int32_t swin2sr__conv_rows(const int32_t *channels, int32_t count, int32_t pair) {
    int32_t rows = 0;
    for (int32_t i = 0; i < count; i++)
        rows += 9 * ((channels[i] + pair - 1) / pair);
    return rows;
}

void swin2sr__pack_conv(float *dst, const float *weights, int32_t outputs, const int32_t *channels, int32_t count) {
    swin2sr__pack_linear(dst, weights, outputs, swin2sr__conv_rows(channels, count, 1));
}

void swin2sr__pack_conv_rounded(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                                int32_t count) {
    swin2sr__pack_linear_rounded(dst, weights, outputs, swin2sr__conv_rows(channels, count, 1));
}

/* The polynomial of a column's three weights at a point, divided by the product of the point's distances to the other
 * finite points. */
static float winograd_weight(int32_t point, const double g[3]) {
    const double a = SWIN2SR__WINOGRAD_A, b = SWIN2SR__WINOGRAD_B;
    const double points[] = {0.0, a, -a, b, -b};
    const double distances[] = {a * a * b * b, 2 * a * a * (a * a - b * b), 2 * a * a * (a * a - b * b),
                                2 * b * b * (b * b - a * a), 2 * b * b * (b * b - a * a)};
    if (point == SWIN2SR__WINOGRAD_POINTS - 1)
        return (float)g[2];
    return (float)((g[0] + points[point] * (g[1] + points[point] * g[2])) / distances[point]);
}

void swin2sr__pack_conv_winograd(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                                 int32_t count) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    size_t inputs = (size_t)swin2sr__conv_rows(channels, count, 1);
    for (int32_t n = 0, width; n < padded; n += width) {
        width = swin2sr__group_width(padded - n);
        for (int32_t point = 0; point < SWIN2SR__WINOGRAD_POINTS; point++) {
            const float *first = weights + (size_t)n * inputs;
            for (int32_t i = 0; i < count; first += 9 * channels[i], i++) {
                for (int32_t tap = 0; tap < 3 * channels[i]; tap++) {
                    for (int32_t k = 0; k < width; k++) {
                        const float *g = first + (size_t)k * inputs + tap;
                        bool is_there = n + k < outputs;
                        *dst++ = is_there
                                     ? winograd_weight(point, (double[]){g[0], g[3 * channels[i]], g[6 * channels[i]]})
                                     : 0.0f;
                    }
                }
            }
        }
    }
}

/* One output's weights of one input, with words `width` apart in dst: channels c and c + 1 of a tap share a word. */
static void pack_taps_bf16(float *dst, int32_t width, const float *weights, int32_t channels) {
    for (int32_t ky = 0; ky < 3; ky++) {
        for (int32_t c = 0; c < channels; c += 2) {
            for (int32_t kx = 0; kx < 3; kx++, dst += width) {
                const float *tap = weights + (ky * channels + c) * 3 + kx;
                uint32_t word = bf16_word(tap[0], c + 1 < channels ? tap[3] : 0.0f);
                memcpy(dst, &word, sizeof word);
            }
        }
    }
}

void swin2sr__pack_conv_bf16(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                             int32_t count) {
    int32_t padded = swin2sr__pack_outputs(outputs), inputs = swin2sr__conv_rows(channels, count, 1);
    memset(dst, 0, (size_t)padded * (size_t)swin2sr__conv_rows(channels, count, 2) * sizeof *dst);
    for (int32_t n = 0, width; n < padded; n += width) {
        width = swin2sr__group_width(padded - n);
        for (int32_t i = 0, at = 0; i < count; at += 9 * channels[i], i++) {
            for (int32_t k = 0; k < width && n + k < outputs; k++)
                pack_taps_bf16(dst + k, width, weights + (size_t)(n + k) * (size_t)inputs + at, channels[i]);
            dst += (ptrdiff_t)width * swin2sr__conv_rows(&channels[i], 1, 2);
        }
    }
}

void swin2sr__pack_linear_tiles(float *dst, const float *weights, int32_t outputs, int32_t inputs) {
    int32_t words = (inputs + 1) / 2;
    for (int32_t n = 0; n < swin2sr__pack_outputs(outputs); n += 16) {
        for (int32_t tile = 0; tile < (words + 15) / 16; tile++) {
            for (int32_t i = 0; i < 256; i++, dst++) {
                int32_t output = n + i / 16, k = 2 * (swin2sr__tile_start(tile, words) + i % 16);
                const float *row = weights + (size_t)output * (size_t)inputs;
                bool is_there = output < outputs && swin2sr__tile_uses(tile, i % 16, words);
                uint32_t word = is_there ? bf16_word(row[k], k + 1 < inputs ? row[k + 1] : 0.0f) : 0;
                memcpy(dst, &word, sizeof word);
            }
        }
    }
}

/* The weights of word `word`, row ky, column kx of one output's weights [input][ky][c][kx]; 0 past the last word. */
static uint32_t conv_word(const float *weights, const int32_t *channels, int32_t count, int32_t word, int32_t ky,
                          int32_t kx) {
    for (int32_t i = 0; i < count; weights += 9 * channels[i], i++) {
        int32_t words = (channels[i] + 1) / 2, c = 2 * word;
        const float *tap = weights + (ky * channels[i] + c) * 3 + kx;
        if (word < words)
            return bf16_word(tap[0], c + 1 < channels[i] ? tap[3] : 0.0f);
        word -= words;
    }
    return 0;
}

void swin2sr__pack_conv_tiles(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                              int32_t count) {
    size_t inputs = (size_t)swin2sr__conv_rows(channels, count, 1);
    int32_t tiles = (swin2sr__conv_rows(channels, count, 2) / 9 + 15) / 16;
    for (int32_t n = 0; n < swin2sr__pack_outputs(outputs); n += 16) {
        for (int32_t i = 0; i < 9 * tiles * 256; i++, dst++) {
            int32_t at = i / 256, output = n + i % 256 / 16, ky = at / (3 * tiles), tile = at / 3 % tiles;
            uint32_t word = output < outputs ? conv_word(weights + (size_t)output * inputs, channels, count,
                                                         16 * tile + i % 16, ky, at % 3)
                                             : 0;
            memcpy(dst, &word, sizeof word);
        }
    }
}
