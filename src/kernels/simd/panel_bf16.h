/* SPDX-License-Identifier: Apache-2.0
 * kernels/simd/panel_bf16.h - bf16 products: inputs of products are rounded to bf16, two per 32-bit word, [K / 2][64];
 * sums, norms and softmax stay fp32. The including file defines v_dot, v_store_panel and compact_row. */
#pragma once

#include "kernels/kernels.h"

#define PAIR 2
#ifndef PACK_LINEAR /* or in tiles */
#define PACK_LINEAR swin2sr__pack_linear_bf16
#define PACK_CONV swin2sr__pack_conv_bf16
#endif
