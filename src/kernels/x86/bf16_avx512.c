/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/bf16_avx512.c - bf16 products with AVX512-BF16. The kernels themselves are in simd/block_simd.h. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/x86/panel_avx512bf16.h"

#define TABLE swin2sr__kernels_bf16
#define TABLE_NAME "bf16"

#include "kernels/simd/block_simd.h"
