/* SPDX-License-Identifier: Apache-2.0
 * image/deflate.c - compress strips of filtered PNG rows (stage 8 encode of 9); RFC 1951.
 * A strip is cut into blocks of 64 KiB. Of each block, first the steps are found, then it is written with codes that
 * are made from the counts of its symbols. */
#include "image/deflate.h"

#include <string.h>

#include "image/deflate_lengths.h"
#include "image/huffman.h"

#define BLOCK_BYTES ((size_t)65536) /* the last block of a strip may be half as large again */
#define MAX_LENGTH 258
#define MAX_DISTANCE 32768
#define MIN_REPEAT 4 /* bytes that are compared at once to find a repeat */
#define MAX_CHECKED 24
#define LITERAL_BITS 12 /* longest code of a literal or length, so that four fit into the 64 bits of the writer */

#define LITERALS 286
#define DISTANCES 30
#define END_OF_BLOCK 256

/* Costs in 1/16 bit. */
#define COST_UNIT 16
#define RUN_COST (9 * COST_UNIT)   /* of a copy from one byte before: its length and distance */
#define COPY_COST (18 * COST_UNIT) /* of any other copy, without the extra bits of its distance */
#define MIN_COST (COST_UNIT / 4)
#define MAX_COST (12 * COST_UNIT)
#define SAMPLE_STEP 29 /* no multiple of the bytes of a pixel */

static uint32_t load32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint64_t load64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* ---- symbols ---- */

typedef struct symbol {
    uint32_t code, extra_bits, extra;
} symbol;

static symbol symbol_of_length(uint32_t length) {
    uint32_t n = length - 3;
    if (n < 8 || length == MAX_LENGTH)
        return (symbol){length == MAX_LENGTH ? LITERALS - 1 : 257 + n, 0, 0};
    uint32_t extra_bits = 29 - (uint32_t)__builtin_clz(n);
    return (symbol){257 + 4 * (extra_bits + 1) + ((n >> extra_bits) & 3), extra_bits, n & ((1u << extra_bits) - 1)};
}

static symbol symbol_of_distance(uint32_t distance) {
    uint32_t n = distance - 1;
    if (n < 4)
        return (symbol){n, 0, 0};
    uint32_t extra_bits = 30 - (uint32_t)__builtin_clz(n);
    return (symbol){2 * (extra_bits + 1) + ((n >> extra_bits) & 1), extra_bits, n & ((1u << extra_bits) - 1)};
}

/* ---- find the steps of a block ---- */

/* log2(a / b) in 1/16, for a >= b, by linear interpolation between powers of two. */
static uint32_t log2_of_ratio(uint32_t a, uint32_t b) {
    uint64_t ratio = ((uint64_t)a << 8) / b;
    uint32_t whole = 63 - (uint32_t)__builtin_clzll(ratio);
    return (whole - 8) * COST_UNIT + (uint32_t)((ratio >> (whole - 4)) & 15);
}

/* Estimate what each byte costs as a literal, from a sample of the bytes that are not inside of runs.
 * returns the mean. */
static uint32_t estimate_costs(deflate_scratch *scratch, const uint8_t *bytes, size_t size) {
    uint32_t counts[256] = {0}, all = 0;
    uint64_t sum = 0;
    for (size_t i = 4; i < size; i += SAMPLE_STEP) {
        uint32_t is_counted = load32(bytes + i - 3) != load32(bytes + i - 4);
        counts[bytes[i]] += is_counted;
        all += is_counted;
    }
    for (int value = 0; value < 256; value++) {
        uint32_t cost = log2_of_ratio(all + 256, counts[value] + 1);
        scratch->cost[value] = (uint16_t)(cost < MIN_COST ? MIN_COST : cost > MAX_COST ? MAX_COST : cost);
        sum += (uint64_t)counts[value] * scratch->cost[value];
    }
    return all > 0 ? (uint32_t)(sum / all) : COST_UNIT;
}

/* How many of the first max bytes are equal. */
static size_t equal_bytes(const uint8_t *a, const uint8_t *b, size_t max) {
    size_t n = 0;
    for (; n + 8 <= max; n += 8) {
        uint64_t difference = bits_swap(load64(a + n) ^ load64(b + n));
        if (difference != 0)
            return n + (size_t)__builtin_ctzll(difference) / 8;
    }
    while (n < max && a[n] == b[n])
        n++;
    return n;
}

typedef struct search {
    deflate_scratch *scratch;
    const deflate_effort *effort;
    const uint8_t *bytes;
    size_t at, end;    /* of the block, from the start of the strip */
    size_t literal;    /* the first byte that no step holds yet */
    uint64_t run_mask; /* which of eight bytes must equal those before them to be looked at as a run */
    size_t checked;    /* a copy shorter than this does not pay on average */
    uint32_t misses;
    uint32_t step_count;
} search;

static void take_copy(search *self, size_t length, size_t distance) {
    self->scratch->steps[self->step_count++] =
        (deflate_step){(uint32_t)(self->at - self->literal), (uint16_t)length, (uint16_t)distance};
    self->at += length;
    self->literal = self->at;
}

static size_t length_at(const search *self, size_t from) {
    size_t left = self->end - self->at;
    return equal_bytes(self->bytes + self->at, self->bytes + from, left < MAX_LENGTH ? left : MAX_LENGTH);
}

/* Take the run at this place, or pass over it if its bytes are cheaper one by one. */
static void take_run(search *self) {
    size_t length = length_at(self, self->at - 1);
    if (length * self->scratch->cost[self->bytes[self->at]] > RUN_COST)
        take_copy(self, length, 1);
    else
        self->at += length - 2; /* what is left of it is no run */
}

/* Take the copy from an earlier place if it saves bits. */
static bool take_if_cheaper(search *self, size_t from) {
    size_t distance = self->at - from, length = length_at(self, from);
    uint32_t cost = COPY_COST + COST_UNIT * symbol_of_distance((uint32_t)distance).extra_bits, saved = 0;
    for (size_t i = 0; i < length && saved <= cost; i++)
        saved += self->scratch->cost[self->bytes[self->at + i]];
    if (saved <= cost)
        return false;
    take_copy(self, length, distance);
    self->misses = self->misses > 4 * length ? self->misses - 4 * (uint32_t)length : 0;
    return true;
}

static void find_copy(search *self) {
    const uint8_t *here = self->bytes + self->at;
    uint32_t first = load32(here);
    uint32_t *last = &self->scratch->last[first * UINT32_C(0x9E3779B1) >> (32 - DEFLATE_HASH_BITS)];
    size_t from = *last, left = self->end - self->at;
    *last = (uint32_t)self->at;
    const uint8_t *there = self->bytes + from;
    if (self->at - from - 1 < MAX_DISTANCE && load32(there) == first && left >= self->checked &&
        load32(there + self->checked - MIN_REPEAT) == load32(here + self->checked - MIN_REPEAT) &&
        take_if_cheaper(self, from))
        return;
    uint32_t stride = 1 + self->misses / self->effort->patience;
    self->misses += stride < self->effort->max_stride;
    self->at += stride;
}

/* Find steps from `at` to `end`, or to where there is no room for more of them; move `end` there. */
static void find_steps(search *self) {
    size_t start = self->at, limit = self->end > start + 8 ? self->end - 8 : start; /* eight bytes can be loaded */
    self->step_count = 0;
    self->literal = start;
    while (self->at < limit && self->step_count < DEFLATE_MAX_STEPS - 1) {
        const uint8_t *here = self->bytes + self->at;
        if (self->at > 0 && ((load64(here) ^ load64(here - 1)) & self->run_mask) == 0)
            take_run(self);
        else
            find_copy(self);
    }
    if (self->at >= limit || self->at > self->end)
        self->at = self->end;
    self->end = self->at;
    self->scratch->steps[self->step_count++] = (deflate_step){(uint32_t)(self->at - self->literal), 0, 0};
}

/* ---- write a block ---- */

static void count_symbols(const search *self, const uint8_t *bytes, uint32_t *literals, uint32_t *distances) {
    uint32_t lanes[4][256]; /* counted apart, so that equal neighbours do not wait for each other */
    memset(lanes, 0, sizeof lanes);
    for (uint32_t s = 0; s < self->step_count; s++) {
        const deflate_step *step = &self->scratch->steps[s];
        for (uint32_t i = 0; i < step->literals; i++)
            lanes[i & 3][bytes[i]]++;
        bytes += step->literals + step->length;
        if (step->length > 0) {
            literals[symbol_of_length(step->length).code]++;
            distances[symbol_of_distance(step->distance).code]++;
        }
    }
    for (int value = 0; value < 256; value++)
        literals[value] = lanes[0][value] + lanes[1][value] + lanes[2][value] + lanes[3][value];
    literals[END_OF_BLOCK] = 1;
}

/* A table of codes that is ready for the writer: the code in the lower half, its length in the upper. */
static void make_codes(const uint8_t *lengths, int32_t count, uint32_t *ret_codes) {
    uint16_t codes[LITERALS];
    huffman_codes(lengths, count, codes);
    for (int32_t i = 0; i < count; i++)
        ret_codes[i] = codes[i] | (uint32_t)lengths[i] << 16;
}

static void put_code(bits *out, uint32_t code) {
    bits_put(out, code & 0xffff, code >> 16);
}

static void put_symbol(bits *out, const uint32_t *codes, symbol s) {
    put_code(out, codes[s.code]);
    bits_put(out, s.extra, s.extra_bits);
}

static void put_steps(const search *self, const uint8_t *bytes, const uint32_t *literals, const uint32_t *distances,
                      bits *ret_out) {
    bits out = *ret_out; /* in registers */
    for (uint32_t s = 0; s < self->step_count; s++) {
        deflate_step step = self->scratch->steps[s];
        const uint8_t *end = bytes + step.literals;
        for (; end - bytes >= 4; bytes += 4) {
            for (int i = 0; i < 4; i++)
                put_code(&out, literals[bytes[i]]);
            bits_flush(&out);
        }
        while (bytes < end)
            put_code(&out, literals[*bytes++]);
        bits_flush(&out);
        if (step.length > 0) {
            put_symbol(&out, literals, symbol_of_length(step.length));
            put_symbol(&out, distances, symbol_of_distance(step.distance));
            bits_flush(&out);
            bytes += step.length;
        }
    }
    put_code(&out, literals[END_OF_BLOCK]);
    bits_flush(&out);
    *ret_out = out;
}

static void put_block(const search *self, const uint8_t *bytes, bits *out) {
    uint32_t literal_counts[LITERALS] = {0}, distance_counts[DISTANCES] = {0};
    uint8_t lengths[LITERALS + DISTANCES];
    uint32_t literals[LITERALS], distances[DISTANCES];
    count_symbols(self, bytes, literal_counts, distance_counts);
    huffman_lengths(literal_counts, LITERALS, LITERAL_BITS, lengths);
    huffman_lengths(distance_counts, DISTANCES, LITERAL_BITS, lengths + LITERALS);
    make_codes(lengths, LITERALS, literals);
    make_codes(lengths + LITERALS, DISTANCES, distances);
    bits_put(out, 4, 3); /* not the last block; codes follow */
    deflate_put_lengths(out, lengths, LITERALS, DISTANCES);
    put_steps(self, bytes, literals, distances, out);
}

/* ---- strips ---- */

/* A literal takes at most LITERAL_BITS. A copy replaces at least MIN_REPEAT bytes and takes fewer bits than their codes
 * may: 12 for its length with 5 extra bits, 12 for its distance with 13. A block has at least MIN_REPEAT *
 * DEFLATE_MAX_STEPS bytes, unless it is the last, and its codes take under 300 bytes. */
size_t deflate_bound(size_t size) {
    return size / 8 * LITERAL_BITS + LITERAL_BITS + (size / BLOCK_BYTES + 2) * 512;
}

size_t deflate_strip(deflate_scratch *scratch, const deflate_effort *effort, const uint8_t *bytes, size_t size,
                     uint8_t *out) {
    bits writer = {.next = out};
    uint32_t mean = estimate_costs(scratch, bytes, size);
    size_t checked = (COPY_COST + 7 * COST_UNIT) / (mean + 1);
    search self = {
        .scratch = scratch,
        .effort = effort,
        .bytes = bytes,
        .checked = checked < MIN_REPEAT    ? MIN_REPEAT
                   : checked > MAX_CHECKED ? MAX_CHECKED
                                           : checked,
        .run_mask = !effort->seeks_short_runs && 7 * scratch->cost[0] < RUN_COST ? UINT64_MAX : UINT32_MAX,
    };
    memset(scratch->last, 0, sizeof scratch->last);
    while (self.at < size) {
        size_t start = self.at;
        self.end = size - start < BLOCK_BYTES + BLOCK_BYTES / 2 ? size : start + BLOCK_BYTES;
        find_steps(&self);
        put_block(&self, bytes + start, &writer);
    }
    bits_put(&writer, 0, 3); /* an empty stored block ends on a byte boundary */
    bits_align(&writer);
    memcpy(writer.next, "\0\0\xff\xff", 4);
    return (size_t)(writer.next + 4 - out);
}
