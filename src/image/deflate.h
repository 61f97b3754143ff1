/* SPDX-License-Identifier: Apache-2.0
 * image/deflate.h - compress strips of filtered PNG rows (stage 8 encode of 9).
 * In: the bytes of one strip.  Out: deflate blocks that end on a byte boundary and refer to no other strip, so that
 * strips can be compressed at the same time and joined. The bits depend on the bytes only, not on the machine.
 *
 * Filtered rows differ from text: most of their bytes are small numbers that a prefix code stores in two or three bits,
 * and what repeats is either a run of one byte or, in drawings and screenshots, a longer piece. So a repeat is taken
 * only if it saves bits, by an estimate from the strip's own bytes, and the search gets coarser where it finds none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEFLATE_HASH_BITS 12
#define DEFLATE_MAX_STEPS 16384 /* of one block */

/* Some bytes as they are, and then a copy of length bytes from distance bytes earlier; length 0: no copy. */
typedef struct deflate_step {
    uint32_t literals;
    uint16_t length, distance;
} deflate_step;

/* What a thread needs to compress one strip after another. Needs no initialisation. */
typedef struct deflate_scratch {
    uint32_t last[1 << DEFLATE_HASH_BITS]; /* by hash of four bytes: where they were seen last */
    uint16_t cost[256];                    /* of each byte value, in 1/16 bit */
    deflate_step steps[DEFLATE_MAX_STEPS];
} deflate_scratch;

/* How much of a strip is searched for repeats: the distance between searches grows by one after every `patience`
 * searches without gain, up to max_stride bytes. */
typedef struct deflate_effort {
    uint32_t patience, max_stride;
    bool seeks_short_runs; /* from four bytes on, even where they seldom pay */
} deflate_effort;

/* The greatest number of bytes that deflate_strip writes. */
size_t deflate_bound(size_t size);

/* returns  How many bytes were written to out, which has room for deflate_bound(size). */
size_t deflate_strip(deflate_scratch *scratch, const deflate_effort *effort, const uint8_t *bytes, size_t size,
                     uint8_t *out);
