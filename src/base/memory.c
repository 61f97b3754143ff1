/* SPDX-License-Identifier: Apache-2.0
 * base/memory.c - aligned memory straight from the system, and arenas.
 * In: sizes.  Out: zeroed blocks. mmap provides zero pages on first use, so unused memory costs nothing. */
#include "base/memory.h"

#include <sys/mman.h>

#include "base/checked_math.h"

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

void *swin2sr__memory_alloc(size_t bytes) {
    void *memory = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (bytes >= 4 * HUGE_PAGE_BYTES)
        madvise(memory, bytes, MADV_HUGEPAGE); /* a failure only costs speed */
    return memory;
}

void swin2sr__memory_free(void *memory, size_t bytes) {
    if (memory)
        munmap(memory, bytes ? bytes : 1);
}

void *swin2sr__arena_take(swin2sr__arena *arena, size_t count, size_t size) {
    size_t bytes, end;
    if (!swin2sr__size_mul(count, size, &bytes) || !swin2sr__size_add(bytes, SWIN2SR__ALIGN - 1, &bytes) ||
        !swin2sr__size_add(arena->used, bytes & ~(size_t)(SWIN2SR__ALIGN - 1), &end) ||
        (arena->base && end > arena->size)) {
        arena->is_overflown = true;
        return NULL;
    }
    void *memory = arena->base ? arena->base + arena->used : NULL;
    arena->used = end;
    return memory;
}

bool swin2sr__arena_allocate(swin2sr__arena *arena) {
    if (arena->is_overflown)
        return false;
    arena->base = swin2sr__memory_alloc(arena->used);
    arena->size = arena->used;
    arena->used = 0;
    return arena->base != NULL;
}

void swin2sr__arena_done(swin2sr__arena *arena) {
    swin2sr__memory_free(arena->base, arena->size);
    *arena = (swin2sr__arena){0};
}
