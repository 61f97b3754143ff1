/* SPDX-License-Identifier: Apache-2.0
 * kernels/arm/fp32_neon.c - fp32 kernels for 64-bit Arm. The kernels themselves are in simd/block_simd.h. */
#include "kernels/arm/vector_neon.h"

#include "kernels/simd/panel_fp32.h"

#define TABLE swin2sr__kernels_neon
#define TABLE_NAME "neon"

#include "kernels/simd/block_simd.h"
