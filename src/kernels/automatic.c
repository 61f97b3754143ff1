/* SPDX-License-Identifier: Apache-2.0
 * kernels/automatic.c - the table behind the precision `auto`.
 * A row is here only if bench/precision.py measured it at least 1.05 times as fast as fp32 in each of five alternations,
 * and within 0.05 dB (int8) or 0.02 dB (bf16) of fp32 on Set5: bench/results/precision.json has the figures, and
 * tests/project/test_precision.py compares the two. */
#include "kernels/automatic.h"

#include <string.h>

/* A processor with these kernels, for networks of this shape. Those of fp32 belong to it: the int8 kernels of AVX2 and
 * AVX-VNNI are faster than fp32 with AVX2, and slower than fp32 with AVX-512. */
typedef struct auto_row {
    const char *kernels, *fp32_kernels;
    int32_t dim, heads, window_px;
    swin2sr_precision precision;
} auto_row;

static const auto_row ROWS[] = {
    {"vnni", "avx512", 60, 6, 8, SWIN2SR_PRECISION_INT8},
    {"bf16", "avx512", 60, 6, 8, SWIN2SR_PRECISION_BF16},
    {"avxvnni", "avx2", 60, 6, 8, SWIN2SR_PRECISION_INT8},
    {"avx2_int8", "avx2", 60, 6, 8, SWIN2SR_PRECISION_INT8},
};

static bool has_kernels(const char *name, swin2sr_precision precision) {
    return strcmp(swin2sr__kernels_get(precision)->name, name) == 0;
}

swin2sr_precision swin2sr__auto_precision(int32_t dim, int32_t heads, int32_t window_px) {
    for (const auto_row *row = ROWS; row < ROWS + sizeof ROWS / sizeof ROWS[0]; row++)
        if (row->dim == dim && row->heads == heads && row->window_px == window_px &&
            has_kernels(row->kernels, row->precision) && has_kernels(row->fp32_kernels, SWIN2SR_PRECISION_FP32))
            return row->precision;
    return SWIN2SR_PRECISION_FP32;
}
