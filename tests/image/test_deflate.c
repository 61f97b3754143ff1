/* SPDX-License-Identifier: Apache-2.0
 * tests/image/test_deflate.c - strips of bytes survive compression, whatever they hold, and strips can be joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "image/deflate.h"
#include "image/huffman.h"

#define MAX_BYTES ((size_t)400000)
#define GUARD 0xa5

static const deflate_effort efforts[] = {{32, 32, false}, {64, 16, false}, {UINT32_MAX, 1, true}};
#define EFFORTS (sizeof efforts / sizeof efforts[0])

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Kinds of content that take different ways through the compressor. */
enum {
    ZEROES,
    NOISE,
    SMALL_NOISE,
    ONE_OF_EACH,
    RUNS,
    PIECES,
    FAR_PIECES,
    KINDS
};

static void fill(uint8_t *bytes, size_t size, int kind, uint32_t seed) {
    for (size_t i = 0; i < size; i++) {
        uint32_t random = next_random(&seed);
        bytes[i] = kind == NOISE         ? (uint8_t)random
                   : kind == SMALL_NOISE ? (uint8_t)(random % 5 - 2)
                   : kind == ONE_OF_EACH ? (uint8_t)i
                                         : 0;
    }
    for (size_t i = 0; kind >= RUNS && i < size;) {
        size_t back = kind == RUNS     ? 1
                      : kind == PIECES ? 1 + next_random(&seed) % 3000
                                       : 32766 + next_random(&seed) % 4;
        size_t length = 1 + next_random(&seed) % 700, fresh = 1 + next_random(&seed) % 20;
        for (; fresh > 0 && i < size; fresh--)
            bytes[i++] = (uint8_t)next_random(&seed);
        for (; length > 0 && i < size; length--, i++)
            bytes[i] = i >= back ? bytes[i - back] : (uint8_t)next_random(&seed);
    }
}

static void inflate_all(const uint8_t *packed, size_t packed_bytes, const uint8_t *expected, size_t size) {
    static uint8_t back[2 * MAX_BYTES];
    z_stream stream = {
        .next_in = (uint8_t *)packed, .avail_in = (uInt)packed_bytes, .next_out = back, .avail_out = sizeof back};
    assert_int_equal(inflateInit2(&stream, -MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&stream, Z_SYNC_FLUSH), Z_OK); /* it does not end: the block that ends it follows */
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, size);
    assert_memory_equal(back, expected, size);
    inflateEnd(&stream);
}

static size_t compress_guarded(const deflate_effort *effort, const uint8_t *bytes, size_t size, uint8_t *out) {
    static deflate_scratch scratch; /* what earlier strips leave in it must not matter */
    size_t bound = deflate_bound(size);
    memset(out + bound, GUARD, 16);
    size_t packed = deflate_strip(&scratch, effort, bytes, size, out);
    assert_in_range(packed, 1, bound);
    for (int i = 0; i < 16; i++)
        assert_int_equal(out[bound + (size_t)i], GUARD);
    return packed;
}

static void strips_come_back(void **state) {
    static const size_t sizes[] = {1, 2, 7, 8, 9, 10, 257, 4096, 65535, 65536, 65537, 98303, 98304, 131072, MAX_BYTES};
    uint8_t *out = malloc(deflate_bound(MAX_BYTES) + 16);
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (size_t e = 0; e < EFFORTS; e++) {
                uint8_t *bytes = malloc(sizes[s]); /* of this size, so that ASan sees a read beyond it */
                fill(bytes, sizes[s], kind, 7 + (uint32_t)s);
                inflate_all(out, compress_guarded(&efforts[e], bytes, sizes[s], out), bytes, sizes[s]);
                free(bytes);
            }
    free(out);
}

static void strips_can_be_joined(void **state) {
    uint8_t *bytes = malloc(2 * MAX_BYTES), *out = malloc(2 * deflate_bound(MAX_BYTES) + 16);
    fill(bytes, MAX_BYTES, PIECES, 1);
    fill(bytes + MAX_BYTES, MAX_BYTES, SMALL_NOISE, 2);
    size_t packed = compress_guarded(&efforts[1], bytes, MAX_BYTES, out);
    packed += compress_guarded(&efforts[1], bytes + MAX_BYTES, MAX_BYTES, out + packed);
    inflate_all(out, packed, bytes, 2 * MAX_BYTES);
    free(bytes);
    free(out);
}

/* Far from a proof, but a repeat that is no longer found, or codes that do not follow the counts, would show. */
static void small_enough(void **state) {
    static const struct {
        int kind;
        size_t most;
    } rows[] = {{ZEROES, 1200},
                {NOISE, MAX_BYTES + MAX_BYTES / 500},
                {SMALL_NOISE, MAX_BYTES * 33 / 100},
                {RUNS, MAX_BYTES * 6 / 100},
                {PIECES, MAX_BYTES * 8 / 100}};
    uint8_t *bytes = malloc(MAX_BYTES), *out = malloc(deflate_bound(MAX_BYTES) + 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fill(bytes, MAX_BYTES, rows[i].kind, 5);
        assert_in_range(compress_guarded(&efforts[1], bytes, MAX_BYTES, out), 1, rows[i].most);
    }
    free(bytes);
    free(out);
}

/* A code is complete if the shares of all its words add up to one. */
static uint32_t shares(const uint8_t *bits, int32_t count, int32_t max_bits) {
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        assert_in_range(bits[i], 0, max_bits);
        sum += bits[i] > 0 ? UINT32_C(1) << (max_bits - bits[i]) : 0;
    }
    return sum;
}

static void codes_are_complete(void **state) {
    static const int32_t limits[] = {9, 12, 15};
    uint32_t seed = 3, counts[HUFFMAN_MAX_SYMBOLS];
    uint8_t bits[HUFFMAN_MAX_SYMBOLS];
    for (int round = 0; round < 300; round++) {
        int32_t count = 2 + (int32_t)(next_random(&seed) % (HUFFMAN_MAX_SYMBOLS - 1)), limit = limits[round % 3];
        for (int32_t i = 0; i < count; i++) /* from even to very uneven, with zeroes */
            counts[i] = (next_random(&seed) & 0xffff) >> (next_random(&seed) % (uint32_t)(1 + round % 18));
        huffman_lengths(counts, count, limit, bits);
        assert_int_equal(shares(bits, count, limit), UINT32_C(1) << limit);
        for (int32_t i = 0; i < count; i++)
            for (int32_t k = 0; k < i; k++)
                if (counts[i] > counts[k] && bits[k] > 0)
                    assert_true(bits[i] <= bits[k]);
    }
}

static void uneven_counts_keep_the_limit(void **state) {
    uint32_t counts[30] = {1, 1};
    uint8_t bits[30];
    for (int i = 2; i < 30; i++)
        counts[i] = counts[i - 1] + counts[i - 2];
    huffman_lengths(counts, 30, 15, bits);
    assert_int_equal(shares(bits, 30, 15), 1 << 15);
    huffman_lengths(counts, 19, 7, bits);
    assert_int_equal(shares(bits, 19, 7), 1 << 7);
}

static void one_symbol_gets_a_partner(void **state) {
    for (int only = -1; only < 4; only++) {
        uint32_t counts[4] = {0};
        uint8_t bits[4];
        if (only >= 0)
            counts[only] = 9;
        huffman_lengths(counts, 4, 7, bits);
        assert_int_equal(shares(bits, 4, 7), 1 << 7);
        assert_true(only < 0 || bits[only] == 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_come_back),
        cmocka_unit_test(strips_can_be_joined),
        cmocka_unit_test(small_enough),
        cmocka_unit_test(codes_are_complete),
        cmocka_unit_test(uneven_counts_keep_the_limit),
        cmocka_unit_test(one_symbol_gets_a_partner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
