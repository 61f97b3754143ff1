/* SPDX-License-Identifier: Apache-2.0
 * kernels/automatic.c - the table behind the precision `auto`.
 * A row is here only if bench/precision.py measured it at least 1.05 times as fast as fp32 in each of five alternations,
 * and within 0.05 dB (int8) or 0.02 dB (bf16) of fp32 on Set5. */
#include "kernels/automatic.h"

#include <string.h>

static const swin2sr__auto_row ROWS[] = {
    {"vnni", 60, 6, 8, SWIN2SR_PRECISION_INT8},
};

const swin2sr__auto_row *swin2sr__auto_row_get(size_t i) {
    return i < sizeof ROWS / sizeof ROWS[0] ? &ROWS[i] : NULL;
}

swin2sr_precision swin2sr__auto_precision(int32_t dim, int32_t heads, int32_t window_px) {
    const swin2sr__auto_row *row;
    for (size_t i = 0; (row = swin2sr__auto_row_get(i)); i++) {
        if (row->dim == dim && row->heads == heads && row->window_px == window_px &&
            strcmp(swin2sr__kernels_get(row->precision)->name, row->kernels) == 0)
            return row->precision;
    }
    return SWIN2SR_PRECISION_FP32;
}
