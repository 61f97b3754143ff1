/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/fp32_avx2.c - fp32 kernels for AVX2 + FMA. The kernels themselves are in simd/block_simd.h. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/simd/panel_fp32.h"

#define TABLE swin2sr__kernels_avx2
#define TABLE_NAME "avx2"

#include "kernels/simd/block_simd.h"
