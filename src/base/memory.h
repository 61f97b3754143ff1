/* SPDX-License-Identifier: Apache-2.0
 * base/memory.h - aligned memory, and arenas that are measured before they are allocated.
 * One layout function runs twice over an arena: first it counts, then it hands out; so a plan is exact by construction. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Every pointer handed out here is aligned to this: one cache line, one AVX-512 register. */
#define SWIN2SR__ALIGN 64

/* Zeroed memory, NULL when there is none. Large blocks ask for huge pages. */
void *swin2sr__memory_alloc(size_t bytes);
void swin2sr__memory_free(void *memory, size_t bytes);

typedef struct swin2sr__arena {
    unsigned char *base; /* NULL while counting */
    size_t used;
    size_t size;       /* of base */
    bool is_overflown; /* a request did not fit size_t, or the block */
} swin2sr__arena;

/* count * size bytes, aligned, zero; NULL while counting or on overflow. */
void *swin2sr__arena_take(swin2sr__arena *arena, size_t count, size_t size);
/* From counting to handing out: allocate what was counted. false: no memory. */
bool swin2sr__arena_allocate(swin2sr__arena *arena);
void swin2sr__arena_done(swin2sr__arena *arena);
