/* SPDX-License-Identifier: Apache-2.0
 * base/checked_math.h - size arithmetic on untrusted numbers; on overflow false, and the result is untouched. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline bool swin2sr__size_add(size_t a, size_t b, size_t *ret_sum) {
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret_sum = sum;
    return true;
}

static inline bool swin2sr__size_mul(size_t a, size_t b, size_t *ret_product) {
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret_product = product;
    return true;
}
