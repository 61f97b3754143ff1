/* SPDX-License-Identifier: Apache-2.0
 * kernels/simd/panel_fp32.h - fp32 products: a panel is the values themselves, [K][64]. After the vector's header. */
#ifndef SWIN2SR_KERNELS_SIMD_PANEL_FP32_H
#define SWIN2SR_KERNELS_SIMD_PANEL_FP32_H

#include "kernels/kernels.h"

#define PAIR 1
#define PACK_LINEAR swin2sr__pack_linear
#define PACK_CONV swin2sr__pack_conv_winograd
#define v_dot(b, x, acc) v_fma(b, x, acc)
#define v_store_panel(p, n, lo, hi) \
    (v_store((p) + (n)*SWIN2SR__LANES, lo), v_store((p) + ((n) + 1) * SWIN2SR__LANES, hi))
/* 2^x on [-1/2, 1/2]: relative error under 1.5e-7. The tail of GELU: its error under 1e-7. */
/* clang-format off */
#define EXP2_TERMS(TERM) \
    TERM(0.0013276472f) TERM(0.0096755419f) TERM(0.0555071309f) TERM(0.2402212024f) \
    TERM(0.6931469440f) TERM(1.0000001192f)
#define GELU_TERMS(TERM) \
    TERM(3.30928298e-05f) TERM(-0.000769219822f) TERM(0.00808071689f) TERM(-0.0534121046f) \
    TERM(-0.458770973f) TERM(-1.1512017f) TERM(-0.999993061f)
/* clang-format on */
#define compact_row(p, row) ((void)(p), (void)(row))

#endif
