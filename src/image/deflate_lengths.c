/* SPDX-License-Identifier: Apache-2.0
 * image/deflate_lengths.c - the codes at the start of a deflate block (stage 8 encode of 9); RFC 1951, 3.2.7.
 * A code is written as the lengths of its symbols; the lengths are shortened by repeats and have a code themselves. */
#include "image/deflate_lengths.h"

#include "image/huffman.h"

#define LENGTH_SYMBOLS 19
#define LENGTH_BITS 7
#define REPEAT 16      /* the length before, 3 to 6 times */
#define ZEROES 17      /* 3 to 10 times 0 */
#define MANY_ZEROES 18 /* 11 to 138 times 0 */

static const struct {
    int32_t min, max;
    uint32_t extra_bits;
} repeats[] = {{3, 6, 2}, {3, 10, 3}, {11, 138, 7}};

typedef struct listing {
    uint8_t symbols[HUFFMAN_MAX_SYMBOLS + 32], extras[HUFFMAN_MAX_SYMBOLS + 32];
    int32_t count;
    uint32_t counts[LENGTH_SYMBOLS];
} listing;

static void list(listing *self, int32_t what, int32_t extra) {
    self->symbols[self->count] = (uint8_t)what;
    self->extras[self->count++] = (uint8_t)extra;
    self->counts[what]++;
}

/* List as many as possible of n equal lengths by one kind of repeat. returns how many are left. */
static int32_t list_repeats(listing *self, int32_t kind, int32_t n) {
    int32_t min = repeats[kind - REPEAT].min, max = repeats[kind - REPEAT].max;
    while (n >= min) {
        int32_t taken = n < max ? n : max;
        list(self, kind, taken - min);
        n -= taken;
    }
    return n;
}

static void list_lengths(listing *self, const uint8_t *lengths, int32_t count) {
    for (int32_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && lengths[i + n] == lengths[i];)
            n++;
        int32_t left = n;
        if (lengths[i] == 0) {
            left = list_repeats(self, ZEROES, list_repeats(self, MANY_ZEROES, left));
        } else {
            list(self, lengths[i], 0);
            left = list_repeats(self, REPEAT, left - 1);
        }
        for (; left > 0; left--)
            list(self, lengths[i], 0);
    }
}

static int32_t without_end_zeroes(const uint8_t *lengths, int32_t count, int32_t min) {
    while (count > min && lengths[count - 1] == 0)
        count--;
    return count;
}

void deflate_put_lengths(bits *out, const uint8_t *lengths, int32_t literals, int32_t distances) {
    static const uint8_t order[LENGTH_SYMBOLS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t all[HUFFMAN_MAX_SYMBOLS + 32], code_lengths[LENGTH_SYMBOLS], ordered[LENGTH_SYMBOLS];
    uint16_t codes[LENGTH_SYMBOLS];
    int32_t literals_put = without_end_zeroes(lengths, literals, 257);
    int32_t distances_put = without_end_zeroes(lengths + literals, distances, 1);
    listing listed = {.count = 0};
    memcpy(all, lengths, (size_t)literals_put);
    memcpy(all + literals_put, lengths + literals, (size_t)distances_put);
    list_lengths(&listed, all, literals_put + distances_put);
    huffman_lengths(listed.counts, LENGTH_SYMBOLS, LENGTH_BITS, code_lengths);
    huffman_codes(code_lengths, LENGTH_SYMBOLS, codes);
    for (int i = 0; i < LENGTH_SYMBOLS; i++)
        ordered[i] = code_lengths[order[i]];
    int32_t ordered_put = without_end_zeroes(ordered, LENGTH_SYMBOLS, 4);
    bits_put(out, (uint32_t)literals_put - 257, 5);
    bits_put(out, (uint32_t)distances_put - 1, 5);
    bits_put(out, (uint32_t)ordered_put - 4, 4);
    for (int32_t i = 0; i < ordered_put; i++) {
        bits_put(out, ordered[i], 3);
        bits_flush(out);
    }
    for (int32_t i = 0; i < listed.count; i++) {
        int32_t what = listed.symbols[i];
        bits_put(out, codes[what], code_lengths[what]);
        bits_put(out, listed.extras[i], what >= REPEAT ? repeats[what - REPEAT].extra_bits : 0);
        bits_flush(out);
    }
}
