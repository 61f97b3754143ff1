/* SPDX-License-Identifier: Apache-2.0
 * kernels/pack.c - weights into the kernels' layout, once, when a model is opened. */
#include "kernels/pack.h"

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

void swin2sr__pack_linear_bf16(float *dst, const float *weights, int32_t outputs, int32_t inputs) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    for (int32_t n = 0, width; n < padded; n += width) {
        width = swin2sr__group_width(padded - n);
        for (int32_t k = 0; k < inputs; k += 2) {
            for (int32_t i = 0; i < width; i++, dst++) {
                const float *row = weights + (size_t)(n + i) * (size_t)inputs;
                bool is_there = n + i < outputs;
                uint32_t low = is_there ? swin2sr__bf16_bits(row[k]) : 0;
                uint32_t high = is_there && k + 1 < inputs ? swin2sr__bf16_bits(row[k + 1]) : 0;
                uint32_t word = high << 16 | low;
                memcpy(dst, &word, sizeof word);
            }
        }
    }
}
