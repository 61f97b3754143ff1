/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/fp32_avx512.c - fp32 kernels for AVX-512. The kernels themselves are in simd/block_simd.h. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/simd/panel_fp32.h"

#define TABLE swin2sr__kernels_avx512
#define TABLE_NAME "avx512"

#include "kernels/simd/block_simd.h"
