/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/tiles_amx.h - the instructions of AMX-TILE and AMX-BF16 that the kernels use; tiles are named by number.
 * In assembly of our own: the intrinsics of gcc 12 do not say that loads and stores of tiles touch memory, so that
 * stores before them are moved behind them or dropped. Where a thread has not configured its tiles, each of these but
 * tiles_release is an illegal instruction. */
#pragma once

#include <stddef.h>

/* config  64 bytes, as the processor's manual lays them out. All tiles become zero. */
static inline void tiles_configure(const void *config) {
    __asm__ volatile("ldtilecfg %0" : : "m"(*(const char(*)[64])config) : "memory");
}

static inline void tiles_release(void) {
    __asm__ volatile("tilerelease" : : : "memory");
}

/* clang-format off */
/* Rows of a tile lie `stride` bytes apart from p on. */
#define tile_load(tile, p, stride) \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(p), "r"((ptrdiff_t)(stride)) : "memory")
#define tile_store(tile, p, stride) \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" : : "r"(p), "r"((ptrdiff_t)(stride)) : "memory")
#define tile_zero(tile) __asm__ volatile("tilezero %%tmm" #tile : : : "memory")
/* sum [16 outputs][16 lanes] += a [16 outputs][32 inputs] times b [16 words][16 lanes] */
#define tile_dot(sum, a, b) __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #sum : : : "memory")
/* clang-format on */
