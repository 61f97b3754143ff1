/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/emulated/tiles.h - in the place of src/kernels/x86/tiles_amx.h: AMX's tiles and their bf16 products by
 * their definitions, in plain C. As on a processor, a thread must have configured its tiles, with shapes that fit each
 * other, and loads and stores touch only what the shapes say; anything else ends the program. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define tile_load emulated_tile_load
#define tile_store emulated_tile_store
#define tile_zero emulated_tile_zero
#define tile_dot emulated_tile_dot
#define OUT_OF_LINE static __attribute__((noinline, unused))

/* One thread's tiles. */
static _Thread_local struct {
    int is_configured;
    int rows[8], row_bytes[8];
    char bytes[8][16][64];
} emulated_tiles;

static void emulated_need(int is_good) {
    if (!is_good)
        abort();
}

/* Palette 1: byte 0 is its number, bytes 16 to 31 the bytes of each tile's rows, 48 to 55 their numbers. */
OUT_OF_LINE void tiles_configure(const void *config) {
    const uint8_t *bytes = config;
    memset(&emulated_tiles, 0, sizeof emulated_tiles);
    emulated_need(bytes[0] == 1 && bytes[1] == 0);
    for (int i = 0; i < 8; i++) {
        emulated_tiles.row_bytes[i] = bytes[16 + 2 * i] | bytes[17 + 2 * i] << 8;
        emulated_tiles.rows[i] = bytes[48 + i];
        emulated_need(emulated_tiles.row_bytes[i] <= 64 && emulated_tiles.rows[i] <= 16 &&
                      !emulated_tiles.rows[i] == !emulated_tiles.row_bytes[i]);
    }
    emulated_tiles.is_configured = 1;
}

OUT_OF_LINE void tiles_release(void) {
    memset(&emulated_tiles, 0, sizeof emulated_tiles);
}

OUT_OF_LINE void emulated_tile_load(int tile, const void *from, ptrdiff_t stride) {
    emulated_need(emulated_tiles.is_configured && emulated_tiles.rows[tile]);
    memset(emulated_tiles.bytes[tile], 0, sizeof emulated_tiles.bytes[tile]);
    for (int i = 0; i < emulated_tiles.rows[tile]; i++)
        memcpy(emulated_tiles.bytes[tile][i], (const char *)from + i * stride, (size_t)emulated_tiles.row_bytes[tile]);
}

OUT_OF_LINE void emulated_tile_store(int tile, void *to, ptrdiff_t stride) {
    emulated_need(emulated_tiles.is_configured && emulated_tiles.rows[tile]);
    for (int i = 0; i < emulated_tiles.rows[tile]; i++)
        memcpy((char *)to + i * stride, emulated_tiles.bytes[tile][i], (size_t)emulated_tiles.row_bytes[tile]);
}

OUT_OF_LINE void emulated_tile_zero(int tile) {
    emulated_need(emulated_tiles.is_configured && emulated_tiles.rows[tile]);
    memset(emulated_tiles.bytes[tile], 0, sizeof emulated_tiles.bytes[tile]);
}

/* A denormal number becomes a zero of its sign. */
static inline __attribute__((always_inline)) float flushed(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = bits & 0x7f800000u ? bits : bits & 0x80000000u;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline __attribute__((always_inline)) float half_of(uint32_t word, int high) {
    uint32_t bits = high ? word & 0xffff0000u : word << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return flushed(value);
}

/* For each sum: e and o start from zero, take the products of even and of odd inputs in order, each as a fused
 * multiply-add that knows no denormal numbers; then sum = flushed(flushed(sum) + flushed(e + o)). */
OUT_OF_LINE __attribute__((optimize("O3"))) void emulated_tile_dot(int sum, int a, int b) {
    int words = emulated_tiles.row_bytes[a] / 4, lanes = emulated_tiles.row_bytes[sum] / 4;
    float low[16][16], high[16][16];
    emulated_need(emulated_tiles.is_configured && emulated_tiles.rows[sum] &&
                  emulated_tiles.rows[a] == emulated_tiles.rows[sum] && emulated_tiles.rows[b] == words &&
                  emulated_tiles.row_bytes[b] == emulated_tiles.row_bytes[sum]);
    for (int w = 0; w < words; w++) {
        uint32_t row[16];
        memcpy(row, emulated_tiles.bytes[b][w], sizeof row);
        for (int t = 0; t < 16; t++) {
            low[w][t] = half_of(row[t], 0);
            high[w][t] = half_of(row[t], 1);
        }
    }
    for (int n = 0; n < emulated_tiles.rows[sum]; n++) {
        float even[16] = {0}, odd[16] = {0}, sums[16];
        uint32_t row[16];
        memcpy(row, emulated_tiles.bytes[a][n], sizeof row);
        for (int w = 0; w < words; w++) {
            float a_low = half_of(row[w], 0), a_high = half_of(row[w], 1);
            for (int t = 0; t < 16; t++) {
                even[t] = flushed(fmaf(a_low, low[w][t], even[t]));
                odd[t] = flushed(fmaf(a_high, high[w][t], odd[t]));
            }
        }
        memcpy(sums, emulated_tiles.bytes[sum][n], sizeof sums);
        for (int t = 0; t < lanes; t++)
            sums[t] = flushed(flushed(sums[t]) + flushed(even[t] + odd[t]));
        memcpy(emulated_tiles.bytes[sum][n], sums, sizeof sums);
    }
}
