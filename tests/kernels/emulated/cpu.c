/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/emulated/cpu.c - a processor that has everything tables.h emulates. */
#include "base/amx.h"
#include "base/cpu.h"

/* In the place of swin2sr__cpu_detect where src/kernels/kernels.c is compiled for it. */
swin2sr__cpu swin2sr__cpu_emulated(void);

swin2sr__cpu swin2sr__cpu_emulated(void) {
    swin2sr__cpu cpu = swin2sr__cpu_detect();
    cpu.has_avxvnni = cpu.has_avx512 = cpu.has_vnni = cpu.has_bf16 = cpu.is_bf16_fast =
        cpu.has_avx2; /* they are compiled for that */
    return cpu;
}

static void amx_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t ret_words[4]) {
    ret_words[0] = leaf == 0x1d;
    ret_words[1] = leaf == 0x1d && subleaf == 1 ? 8 << 16 | 64 : 0;
    ret_words[2] = leaf == 0x1d && subleaf == 1 ? 16 : UINT32_MAX;
    ret_words[3] = UINT32_MAX;
}

static uint64_t amx_xcr0(void) {
    return UINT64_MAX;
}

static int amx_arch_prctl(int code, unsigned long argument) {
    if (code == SWIN2SR__ARCH_GET_XCOMP_PERM)
        *(uint64_t *)argument = 1ull << SWIN2SR__XFEATURE_TILES;
    return 0;
}

/* In the place of swin2sr__amx_probe_here: a kernel that allows tiles. */
extern const swin2sr__amx_probe swin2sr__amx_probe_emulated;
const swin2sr__amx_probe swin2sr__amx_probe_emulated = {amx_cpuid, amx_xcr0, amx_arch_prctl};
