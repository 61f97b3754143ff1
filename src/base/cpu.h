/* SPDX-License-Identifier: Apache-2.0
 * base/cpu.h - what the processor can do. */
#pragma once

#include <stdbool.h>

/* Features that select code. Each includes everything that its code is compiled for, and the system's support. */
typedef struct swin2sr__cpu {
    bool has_avx2;     /* AVX2 and FMA */
    bool has_avxvnni;  /* AVX-VNNI, 256 bits */
    bool has_avx512;   /* F, BW, DQ, VL */
    bool has_vnni;     /* AVX512-VNNI */
    bool has_bf16;     /* AVX512-BF16; Arm: BF16 */
    bool is_bf16_fast; /* x86: its products are twice as fast as those of fp32 */
    bool has_sha;      /* SHA-256, SSSE3 and SSE4.1 */
    bool has_i8mm;     /* Arm: I8MM */
} swin2sr__cpu;

swin2sr__cpu swin2sr__cpu_detect(void);

/* The name that the processor states ("AMD EPYC ..."), or "unknown". Constant after the first call. */
const char *swin2sr__cpu_name(void);
