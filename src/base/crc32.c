/* SPDX-License-Identifier: Apache-2.0
 * base/crc32.c - CRC-32 as of PNG and ZIP files. Pure. */
#include "base/crc32.h"

void swin2sr__crc32_init(swin2sr__crc32 *self) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        self->table[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int byte = 0; byte < 256; byte++)
            self->table[k][byte] = self->table[k - 1][byte] >> 8 ^ self->table[0][self->table[k - 1][byte] & 255];
}

uint32_t swin2sr__crc32_add(const swin2sr__crc32 *self, uint32_t crc, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (crc = ~crc; size >= 8; size -= 8, at += 8) {
        uint64_t word = crc;
        for (int k = 0; k < 8; k++)
            word ^= (uint64_t)at[k] << 8 * k;
        crc = 0;
        for (int k = 0; k < 8; k++)
            crc ^= self->table[7 - k][word >> 8 * k & 255];
    }
    for (; size; size--, at++)
        crc = crc >> 8 ^ self->table[0][(crc ^ *at) & 255];
    return ~crc;
}
