/* SPDX-License-Identifier: Apache-2.0
 * kernels/simd/panel_fp32.h - fp32 products: a panel is the values, [K][64]. Included after the vector's header. */
#pragma once

#include "kernels/kernels.h"

#define PAIR 1
#define PACK_LINEAR swin2sr__pack_linear
#define PACK_CONV swin2sr__pack_conv_winograd
#define v_dot(b, x, acc) v_fma(b, x, acc)
#define v_store_panel(p, n, lo, hi) \
    (v_store((p) + (n)*SWIN2SR__LANES, lo), v_store((p) + ((n) + 1) * SWIN2SR__LANES, hi))
#define compact_row(p, row) ((void)(p), (void)(row))
