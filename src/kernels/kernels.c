/* SPDX-License-Identifier: Apache-2.0
 * kernels/kernels.c - choose the table of hot functions, once.
 * In: processor features and SWIN2SR_CPU, which only removes.  Out: a constant table. */
#include "kernels/kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu.h"

typedef struct level {
    const swin2sr__kernels *table;
    bool is_runnable;
} level;

#define MAX_LEVELS 3

/* Weakest first; returns how many. */
static int list_levels(level levels[MAX_LEVELS]) {
    int count = 0;
    levels[count++] = (level){&swin2sr__kernels_c, true};
#if defined(__x86_64__)
    swin2sr__cpu cpu = swin2sr__cpu_detect();
    levels[count++] = (level){&swin2sr__kernels_avx2, cpu.has_avx2};
    levels[count++] = (level){&swin2sr__kernels_avx512, cpu.has_avx512 && cpu.has_avx2};
#endif
    return count;
}

const swin2sr__kernels *swin2sr__kernels_named(const char *name) {
    level levels[MAX_LEVELS];
    int count = list_levels(levels);
    for (int i = 0; i < count; i++) {
        if (levels[i].is_runnable && strcmp(levels[i].table->name, name) == 0)
            return levels[i].table;
    }
    return NULL;
}

static const swin2sr__kernels *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void) {
    level levels[MAX_LEVELS];
    int count = list_levels(levels);
    const char *limit = getenv("SWIN2SR_CPU");
    for (int i = 0; i < count; i++) {
        if (levels[i].is_runnable)
            chosen = levels[i].table;
        if (limit && strcmp(levels[i].table->name, limit) == 0)
            break;
    }
}

const swin2sr__kernels *swin2sr__kernels_get(void) {
    pthread_once(&once, choose);
    return chosen;
}
