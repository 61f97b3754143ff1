/* SPDX-License-Identifier: Apache-2.0
 * base/memory.h - aligned memory, and arenas that are measured before they are allocated.
 * The same layout function runs over an arena twice, first to count and then to hand out, so the count is exact. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Every pointer handed out here is aligned to this: one cache line, one AVX-512 register. */
#define SWIN2SR__ALIGN 64

/* Zeroed memory; NULL: out of memory. Large blocks request huge pages. */
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
/* Allocate what was counted; from now on memory is handed out. false: out of memory. */
bool swin2sr__arena_allocate(swin2sr__arena *arena);
void swin2sr__arena_done(swin2sr__arena *arena);
