/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/emulated/cpu.c - a processor that has everything tables.h emulates. */
#include "base/cpu.h"

/* In the place of swin2sr__cpu_detect where src/kernels/kernels.c is compiled for it. */
swin2sr__cpu swin2sr__cpu_emulated(void);

swin2sr__cpu swin2sr__cpu_emulated(void) {
    swin2sr__cpu cpu = swin2sr__cpu_detect();
    cpu.has_avxvnni = cpu.has_avx512 = cpu.has_vnni = cpu.has_bf16 = cpu.is_bf16_fast =
        cpu.has_avx2; /* they are compiled for that */
    return cpu;
}
