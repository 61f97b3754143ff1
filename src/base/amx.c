/* SPDX-License-Identifier: Apache-2.0
 * base/amx.c - permission to use AMX's matrix tiles, found at run time. Built without any ISA flag. */
#include "base/amx.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* CPUID leaf 7: tiles, and their bf16 products; leaf 1: XGETBV may be executed; leaf 0x1d: palettes. */
#define BIT_AMX_TILE (1u << 24)
#define BIT_AMX_BF16 (1u << 22)
#define BIT_OSXSAVE (1u << 27)
#define XCR0_TILES (3ull << 17) /* configuration and data */

/* Palette 1 is the one that the kernels configure: eight tiles of 16 rows of 64 bytes. */
static bool has_palette(const swin2sr__amx_probe *probe) {
    uint32_t words[4];
    probe->cpuid(0x1d, 0, words);
    if (words[0] < 1)
        return false;
    probe->cpuid(0x1d, 1, words);
    return (words[1] & 0xffff) >= 64 && words[1] >> 16 >= 8 && (words[2] & 0xffff) >= 16;
}

swin2sr__amx swin2sr__amx_look(const swin2sr__amx_probe *probe) {
    uint32_t words[4];
    probe->cpuid(7, 0, words);
    bool is_there = words[3] & BIT_AMX_TILE && words[3] & BIT_AMX_BF16 && has_palette(probe);
    probe->cpuid(1, 0, words);
    is_there = is_there && words[2] & BIT_OSXSAVE && (probe->xcr0() & XCR0_TILES) == XCR0_TILES;
    return (swin2sr__amx){.is_there = is_there};
}

/* XCR0 has its bits even if this process may not use tiles, so the kernel's list is read back after the request. */
swin2sr__amx swin2sr__amx_ask(const swin2sr__amx_probe *probe) {
    swin2sr__amx found = swin2sr__amx_look(probe);
    uint64_t allowed = 0;
    if (!found.is_there)
        return found;
    found.error = probe->arch_prctl(SWIN2SR__ARCH_REQ_XCOMP_PERM, SWIN2SR__XFEATURE_TILES);
    if (!found.error)
        found.error = probe->arch_prctl(SWIN2SR__ARCH_GET_XCOMP_PERM, (unsigned long)&allowed);
    found.is_allowed = !found.error && allowed >> SWIN2SR__XFEATURE_TILES & 1;
    return found;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>

static void ask_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t ret_words[4]) {
    ret_words[0] = ret_words[1] = ret_words[2] = ret_words[3] = 0;
    __get_cpuid_count(leaf, subleaf, &ret_words[0], &ret_words[1], &ret_words[2], &ret_words[3]);
}

static uint64_t ask_xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int ask_arch_prctl(int code, unsigned long argument) {
    return syscall(SYS_arch_prctl, code, argument) ? errno : 0;
}

const swin2sr__amx_probe swin2sr__amx_probe_here = {ask_cpuid, ask_xcr0, ask_arch_prctl};
#else
static void no_leaf(uint32_t leaf, uint32_t subleaf, uint32_t ret_words[4]) {
    memset(ret_words, 0, 4 * sizeof *ret_words);
}

const swin2sr__amx_probe swin2sr__amx_probe_here = {.cpuid = no_leaf}; /* then the others are never called */
#endif
