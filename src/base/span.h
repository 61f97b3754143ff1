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
