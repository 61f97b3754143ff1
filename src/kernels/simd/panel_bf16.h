/* SPDX-License-Identifier: Apache-2.0
 * kernels/simd/panel_bf16.h - bf16 products: inputs of products are rounded to bf16, two to 32 bits, [K / 2][64]; sums,
 * norms and softmax stay fp32. The including file adds v_dot, v_store_panel and compact_row. */
#ifndef SWIN2SR_KERNELS_SIMD_PANEL_BF16_H
#define SWIN2SR_KERNELS_SIMD_PANEL_BF16_H

#include "kernels/kernels.h"

#define PAIR 2
#define PACK_LINEAR swin2sr__pack_linear_bf16
#define PACK_CONV swin2sr__pack_conv_bf16
/* What follows is rounded to bf16, by 2e-3 of itself. 2^x on [-1/2, 1/2]: relative error under 7.5e-5; GELU 2e-5. */
/* clang-format off */
#define EXP2_TERMS(TERM) \
    TERM(0.0551713407f) TERM(0.2426111698f) TERM(0.6932610273f) TERM(0.9999280572f)
#define GELU_TERMS(TERM) \
    TERM(0.00386628875f) TERM(-0.0440794142f) TERM(-0.468014564f) TERM(-1.14737246f) \
    TERM(-1.00047959f)
/* clang-format on */

#endif
