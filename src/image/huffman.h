/* SPDX-License-Identifier: Apache-2.0
 * image/huffman.h - prefix codes of limited length, as deflate has them (stage 8 encode of 9). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HUFFMAN_MAX_SYMBOLS 286

/* Find the lengths of a code for symbols that occur counts[i] times.
 * count       2..HUFFMAN_MAX_SYMBOLS. The sum of all counts must be under 1 << 23.
 * max_bits    No length is greater. 1 << max_bits must be at least count, and max_bits at most 15.
 * ret_bits    [count] 0: the symbol does not occur. At least two symbols get a length, because a code of one symbol is
 *             incomplete, which some decoders refuse. */
void huffman_lengths(const uint32_t *counts, int32_t count, int32_t max_bits, uint8_t *ret_bits);

/* The codes of symbols with these lengths, in deflate's order: the first bit of a code is its lowest. */
void huffman_codes(const uint8_t *bits, int32_t count, uint16_t *ret_codes);
