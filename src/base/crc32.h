/* SPDX-License-Identifier: Apache-2.0
 * base/crc32.h - CRC-32 as of PNG and ZIP files, eight bytes at a time. No allocation. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct swin2sr__crc32 {
    uint32_t table[8][256]; /* table k is for a byte that k bytes follow */
} swin2sr__crc32;

void swin2sr__crc32_init(swin2sr__crc32 *self);

/* crc      Of the bytes before these; 0: there are none.
 * returns  Of all bytes so far. */
uint32_t swin2sr__crc32_add(const swin2sr__crc32 *self, uint32_t crc, const void *bytes, size_t size);
