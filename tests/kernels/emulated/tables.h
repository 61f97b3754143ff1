/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/emulated/tables.h - tables of kernels whose instructions are emulated. On x86 they need AVX2. */
#pragma once

#include "kernels/kernels.h"

extern const swin2sr__kernels swin2sr__emulated_avx512;
extern const swin2sr__kernels swin2sr__emulated_vnni;
extern const swin2sr__kernels swin2sr__emulated_bf16;
extern const swin2sr__kernels swin2sr__emulated_vnni_bf16;
#if defined(__x86_64__)
extern const swin2sr__kernels swin2sr__emulated_amx;
extern const swin2sr__kernels swin2sr__emulated_avxvnni;
#endif
