/* SPDX-License-Identifier: Apache-2.0
 * image/bits.h - write numbers of any number of bits, lowest bit first, as deflate does (stage 8 encode of 9). */
#pragma once

#include <stdint.h>
#include <string.h>

/* {.next = the first byte}. Up to 7 bits stay between flushes, so 57 bits may be put before the next. */
typedef struct bits {
    uint8_t *next;
    uint64_t kept;
    uint32_t count; /* of the kept bits */
} bits;

static inline void bits_put(bits *self, uint32_t value, uint32_t count) {
    self->kept |= (uint64_t)value << self->count;
    self->count += count;
}

/* The first byte in memory becomes the lowest. */
static inline uint64_t bits_swap(uint64_t value) {
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap64(value);
}

/* Write all whole bytes. May touch eight bytes from next on. */
static inline void bits_flush(bits *self) {
    uint64_t kept = bits_swap(self->kept);
    memcpy(self->next, &kept, sizeof kept);
    self->next += self->count >> 3;
    self->kept >>= self->count & ~7u;
    self->count &= 7;
}

/* Fill the last byte with zeroes and write it. */
static inline void bits_align(bits *self) {
    self->count = (self->count + 7) & ~7u;
    bits_flush(self);
}
