/* SPDX-License-Identifier: Apache-2.0
 * image/huffman.c - prefix codes of limited length, as deflate has them (stage 8 encode of 9).
 * Huffman's algorithm over the sorted counts gives the depth of each leaf. Leaves that are too deep move up to the
 * limit, and leaves above it move down until the code fits, which costs a few bits and needs no second algorithm. */
#include "image/huffman.h"

#include <string.h>

#define MAX_BITS 15
#define SYMBOL_BITS 9 /* of a sort key, below the count */
#define NODES (2 * HUFFMAN_MAX_SYMBOLS)

/* Shell sort: no allocation, and the keys are few. */
static void sort_keys(uint32_t *keys, int32_t count) {
    static const int32_t gaps[] = {132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (int32_t i = gaps[g]; i < count; i++) {
            uint32_t key = keys[i];
            int32_t at = i;
            for (; at >= gaps[g] && keys[at - gaps[g]] > key; at -= gaps[g])
                keys[at] = keys[at - gaps[g]];
            keys[at] = key;
        }
}

/* Number of leaves at each depth of the tree over the sorted keys, those deeper than max_bits counted at max_bits. */
static void count_depths(const uint32_t *keys, int32_t leaves, int32_t max_bits, int32_t *ret_depths) {
    uint32_t weight[NODES];
    int32_t parent[NODES], depth[NODES], leaf = 0, inner = leaves, root = 2 * leaves - 2;
    for (int32_t i = 0; i < leaves; i++)
        weight[i] = keys[i] >> SYMBOL_BITS;
    for (int32_t made = leaves; made <= root; made++) {
        weight[made] = 0;
        for (int child = 0; child < 2; child++) { /* the two lightest of the leaves and nodes without a parent */
            bool is_leaf = leaf < leaves && (inner >= made || weight[leaf] <= weight[inner]);
            int32_t node = is_leaf ? leaf++ : inner++;
            weight[made] += weight[node];
            parent[node] = made;
        }
    }
    memset(ret_depths, 0, (size_t)(max_bits + 1) * sizeof *ret_depths);
    depth[root] = 0;
    for (int32_t node = root - 1; node >= 0; node--) {
        depth[node] = depth[parent[node]] + 1;
        if (node < leaves)
            ret_depths[depth[node] < max_bits ? depth[node] : max_bits]++;
    }
}

/* Make room in a code that has too many leaves at its greatest depth: each step takes the place of one of them, by
 * splitting a leaf above it. */
static void fit_depths(int32_t *depths, int32_t max_bits) {
    uint32_t used = 0;
    for (int32_t bits = 1; bits <= max_bits; bits++)
        used += (uint32_t)depths[bits] << (max_bits - bits);
    for (; used > UINT32_C(1) << max_bits; used--) {
        int32_t bits = max_bits - 1;
        while (depths[bits] == 0)
            bits--;
        depths[max_bits]--;
        depths[bits]--;
        depths[bits + 1] += 2;
    }
}

void huffman_lengths(const uint32_t *counts, int32_t count, int32_t max_bits, uint8_t *ret_bits) {
    uint32_t keys[HUFFMAN_MAX_SYMBOLS];
    int32_t depths[MAX_BITS + 1], used = 0;
    memset(ret_bits, 0, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        if (counts[i] > 0)
            keys[used++] = counts[i] << SYMBOL_BITS | (uint32_t)i;
    if (used < 2) {
        int32_t only = used > 0 ? (int32_t)(keys[0] & ((1 << SYMBOL_BITS) - 1)) : 0;
        ret_bits[only] = ret_bits[only == 0] = 1;
        return;
    }
    sort_keys(keys, used);
    count_depths(keys, used, max_bits, depths);
    fit_depths(depths, max_bits);
    int32_t next = 0; /* the rarest symbols are the deepest */
    for (int32_t bits = max_bits; bits > 0; bits--)
        for (int32_t i = 0; i < depths[bits]; i++)
            ret_bits[keys[next++] & ((1 << SYMBOL_BITS) - 1)] = (uint8_t)bits;
}

static uint16_t reversed(uint32_t code, int32_t bits) {
    uint32_t back = 0;
    for (int32_t i = 0; i < bits; i++, code >>= 1)
        back = back << 1 | (code & 1);
    return (uint16_t)back;
}

void huffman_codes(const uint8_t *bits, int32_t count, uint16_t *ret_codes) {
    uint32_t of_length[MAX_BITS + 1] = {0}, next[MAX_BITS + 1] = {0};
    for (int32_t i = 0; i < count; i++)
        of_length[bits[i]]++;
    of_length[0] = 0;
    for (int32_t length = 1; length <= MAX_BITS; length++)
        next[length] = (next[length - 1] + of_length[length - 1]) << 1;
    for (int32_t i = 0; i < count; i++)
        ret_codes[i] = bits[i] > 0 ? reversed(next[bits[i]]++, bits[i]) : 0;
}
