/* SPDX-License-Identifier: Apache-2.0
 * engine/sampling.c - which pixels padding repeats, and which ones bicubic interpolation reads. */
#include "engine/sampling.h"

#include <math.h>

int32_t swin2sr__pad_source(int32_t i, int32_t n, swin2sr_pad pad) {
    if (pad == SWIN2SR_PAD_REFLECT)
        return swin2sr__reflected(i, n);
    i %= 2 * n;
    return i < n ? i : 2 * n - 1 - i;
}

/* The weights at distance t after the second of four pixels. */
static void cubic_weights(double t, float weights[4]) {
    for (int k = 0; k < 4; k++) {
        double d = fabs(t + 1.0 - k);
        weights[k] = (float)(d <= 1.0 ? ((1.25 * d - 2.25) * d) * d + 1.0 : ((-0.75 * d + 3.75) * d - 6.0) * d + 3.0);
    }
}

void swin2sr__cubic_taps(const swin2sr__side *side, int32_t scale, int32_t i, int32_t pixels[4], float weights[4]) {
    double source = swin2sr__side_source(side, scale, i), whole = floor(source);
    cubic_weights(source - whole, weights);
    for (int k = 0; k < 4; k++) {
        int32_t p = (int32_t)whole - 1 + k;
        pixels[k] = p < 0 ? 0 : p >= side->padded ? side->padded - 1 : p;
    }
}
