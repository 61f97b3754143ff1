/* SPDX-License-Identifier: Apache-2.0
 * base/span.h - ranges of rows or columns, and the smaller and the larger of two numbers. */
#pragma once

#include <stdint.h>

/* [from, to). */
typedef struct swin2sr__span {
    int32_t from, to;
} swin2sr__span;

static inline int32_t swin2sr__min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static inline int32_t swin2sr__max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* The index in 0..n-1 that stands for any index i of a side of n pixels which is mirrored at its ends without repeating
 * them: 2 1 0 1 2 ... n-1 n-2. */
static inline int32_t swin2sr__reflected(int32_t i, int32_t n) {
    int32_t period = n > 1 ? 2 * (n - 1) : 1;
    i = (i < 0 ? -i : i) % period;
    return i < n ? i : period - i;
}
