/* SPDX-License-Identifier: Apache-2.0
 * kernels/arm/bf16_neon.c - bf16 products for 64-bit Arm with BF16. The kernels themselves are in simd/block_simd.h. */
#include "kernels/arm/vector_neon.h"

#include "kernels/arm/panel_neonbf16.h"

#define TABLE swin2sr__kernels_neon_bf16
#define TABLE_NAME "neon_bf16"

#include "kernels/simd/block_simd.h"
