/* SPDX-License-Identifier: Apache-2.0
 * kernels/automatic.h - which precision `auto` stands for, by kernel level and shape of the network.
 * In: the shape of a network.  Out: a precision. Nothing is timed at run time: workers agree on the bits of a result, and
 * its entity tag is known before the work. */
#pragma once

#include "kernels/kernels.h"

/* For networks of this shape, a processor whose table for the precision has this name uses that precision. Each row is
 * supported by bench/results/precision.json; tests/project/test_precision.py compares the two. */
typedef struct swin2sr__auto_row {
    const char *kernels;
    int32_t dim, heads, window_px;
    swin2sr_precision precision;
} swin2sr__auto_row;

/* Row i, or NULL beyond the last. */
const swin2sr__auto_row *swin2sr__auto_row_get(size_t i);

/* The precision of the first row that fits the shape and this processor; FP32 if there is none. */
swin2sr_precision swin2sr__auto_precision(int32_t dim, int32_t heads, int32_t window_px);
