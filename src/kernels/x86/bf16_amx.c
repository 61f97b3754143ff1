/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/bf16_amx.c - bf16 products on AMX's matrix tiles, all else with AVX-512. The kernels themselves are in
 * x86/block_amx.h and simd/block_simd.h. */
#include "kernels/x86/vector_avx512.h"

#define PACK_LINEAR swin2sr__pack_linear_tiles
#define PACK_CONV swin2sr__pack_conv_tiles
#include "kernels/x86/panel_avx512bf16.h"

#ifndef tile_dot /* or emulated */
#include "kernels/x86/tiles_amx.h"
#endif

#define TILES "kernels/x86/block_amx.h"
#define TABLE swin2sr__kernels_amx
#define TABLE_NAME "amx"

#include "kernels/simd/block_simd.h"
