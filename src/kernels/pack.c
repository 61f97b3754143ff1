/* SPDX-License-Identifier: Apache-2.0
 * kernels/pack.c - weights into the kernels' layout, once, when a model is opened. */
#include "kernels/pack.h"

int32_t swin2sr__pack_outputs(int32_t outputs) {
    return outputs < 4 ? 4 : (outputs + 1) / 2 * 2;
}

void swin2sr__pack_linear(float *dst, const float *weights, int32_t outputs, int32_t inputs) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    for (int32_t n = 0, width; n < padded; n += width) {
        width = swin2sr__group_width(padded - n);
        for (int32_t k = 0; k < inputs; k++) {
            for (int32_t i = 0; i < width; i++)
                *dst++ = n + i < outputs ? weights[(size_t)(n + i) * (size_t)inputs + (size_t)k] : 0.0f;
        }
    }
}
