/* SPDX-License-Identifier: Apache-2.0
 * image/deflate_lengths.h - the codes at the start of a deflate block (stage 8 encode of 9). */
#pragma once

#include "image/bits.h"

/* Write two codes, given as the lengths of their symbols.
 * lengths  [literals + distances], of at most 286 and 30 symbols. */
void deflate_put_lengths(bits *out, const uint8_t *lengths, int32_t literals, int32_t distances);
