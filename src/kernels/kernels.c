/* SPDX-License-Identifier: Apache-2.0
 * kernels/kernels.c - choose a table of kernels for each precision, once.
 * In: processor features, and SWIN2SR_CPU, which only removes levels.  Out: constant tables. */
#include "kernels/kernels.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/amx.h"
#include "base/cpu.h"
#include "base/error.h"

typedef struct level {
    const char *name; /* in SWIN2SR_CPU */
    const swin2sr__kernels *table;
    bool is_runnable;
} level;

#define MAX_LEVELS 11

/* List the levels, the weakest first; returns their number. */
static int list_levels(level levels[MAX_LEVELS]) {
    int count = 0;
    levels[count++] = (level){"c", &swin2sr__kernels_c_bf16, true};
    levels[count++] = (level){"c", &swin2sr__kernels_c_int8, true};
    levels[count++] = (level){"c", &swin2sr__kernels_c, true};
    swin2sr__cpu cpu = swin2sr__cpu_detect();
    (void)cpu; /* unused on other processors */
#if defined(__x86_64__)
    bool has_avx512 = cpu.has_avx512 && cpu.has_avx2;
    levels[count++] = (level){"avx2", &swin2sr__kernels_avx2, cpu.has_avx2};
    levels[count++] = (level){"avx2", &swin2sr__kernels_avx2_int8, cpu.has_avx2};
    levels[count++] = (level){"avxvnni", &swin2sr__kernels_avxvnni, cpu.has_avx2 && cpu.has_avxvnni};
    levels[count++] = (level){"avx512", &swin2sr__kernels_avx512, has_avx512};
    levels[count++] = (level){"vnni", &swin2sr__kernels_vnni, has_avx512 && cpu.has_vnni};
    levels[count++] = (level){"bf16", &swin2sr__kernels_bf16, has_avx512 && cpu.has_bf16};
    levels[count++] =
        (level){"bf16", &swin2sr__kernels_vnni_bf16, has_avx512 && cpu.has_bf16 && cpu.is_bf16_fast && cpu.has_vnni};
    levels[count++] = (level){"amx", &swin2sr__kernels_amx,
                              has_avx512 && cpu.has_bf16 && swin2sr__amx_look(&swin2sr__amx_probe_here).is_there};
#elif defined(__aarch64__)
    levels[count++] = (level){"neon", &swin2sr__kernels_neon, true}; /* every 64-bit Arm has it */
    levels[count++] = (level){"i8mm", &swin2sr__kernels_neon_int8, cpu.has_i8mm};
    levels[count++] = (level){"bf16", &swin2sr__kernels_neon_bf16, cpu.has_bf16};
    levels[count++] = (level){"bf16", &swin2sr__kernels_neon_int8_bf16, cpu.has_bf16 && cpu.has_i8mm};
#endif
    return count;
}

static swin2sr__amx amx;
static char amx_refusal[128];
static pthread_once_t amx_once = PTHREAD_ONCE_INIT;

static void ask_for_amx(void) {
    amx = swin2sr__amx_ask(&swin2sr__amx_probe_here);
    if (amx.is_there && !amx.is_allowed)
        snprintf(amx_refusal, sizeof amx_refusal, "AMX is not used: the kernel refused its tiles (%s)",
                 amx.error ? strerror(amx.error) : "permission without effect");
}

/* Tiles need the kernel's permission, which is asked for when there is a use for it. */
static bool needs_permission(const swin2sr__kernels *table) {
    return table->tile > 1;
}

static bool is_permitted(void) {
    pthread_once(&amx_once, ask_for_amx);
    return amx.is_allowed;
}

const swin2sr__kernels *swin2sr__kernels_named(const char *name) {
    level levels[MAX_LEVELS];
    int count = list_levels(levels);
    for (int i = 0; i < count; i++) {
        if (levels[i].is_runnable && strcmp(levels[i].table->name, name) == 0)
            return !needs_permission(levels[i].table) || is_permitted() ? levels[i].table : NULL;
    }
    return NULL;
}

/* By precision: the strongest table that needs no permission, and the one that does, if any. */
static const swin2sr__kernels *chosen[SWIN2SR_PRECISION_COUNT], *tiled[SWIN2SR_PRECISION_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The level in SWIN2SR_CPU; NULL: none. */
static const char *limit_name(void) {
    const char *limit = getenv("SWIN2SR_CPU");
    return limit && *limit ? limit : NULL;
}

static bool is_last_of_level(const level *levels, int count, int i) {
    return i + 1 == count || strcmp(levels[i].name, levels[i + 1].name) != 0;
}

static void choose(void) {
    level levels[MAX_LEVELS];
    int count = list_levels(levels);
    const char *limit = limit_name();
    for (int i = 0; i < count; i++) {
        if (levels[i].is_runnable)
            (needs_permission(levels[i].table) ? tiled : chosen)[levels[i].table->precision] = levels[i].table;
        if (limit && strcmp(levels[i].name, limit) == 0 && is_last_of_level(levels, count, i))
            break;
    }
    chosen[SWIN2SR_PRECISION_AUTO] = chosen[SWIN2SR_PRECISION_FP32];
}

const swin2sr__kernels *swin2sr__kernels_get(swin2sr_precision precision) {
    pthread_once(&once, choose);
    return tiled[precision] && is_permitted() ? tiled[precision] : chosen[precision];
}

const char *swin2sr__kernels_note(swin2sr_precision precision) {
    const swin2sr__kernels *table = swin2sr__kernels_get(precision);
    return tiled[precision] && tiled[precision] != table ? amx_refusal : "";
}

static swin2sr_status check_limit(swin2sr_error *reterr) {
    level levels[MAX_LEVELS];
    int count = list_levels(levels);
    const char *limit = limit_name();
    char names[128] = "";
    for (int i = 0; i < count; i++) {
        if (!limit || strcmp(levels[i].name, limit) == 0)
            return SWIN2SR_OK;
        if (is_last_of_level(levels, count, i))
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", levels[i].name);
    }
    return swin2sr__error_set(reterr, SWIN2SR_INVALID, "SWIN2SR_CPU=%.40s: must be one of %s", limit, names);
}

swin2sr_status swin2sr__kernels_choose(swin2sr_precision precision, bool is_plain, const swin2sr__kernels **ret_kernels,
                                       swin2sr_error *reterr) {
    static const swin2sr__kernels *const plain[SWIN2SR_PRECISION_COUNT] = {
        &swin2sr__kernels_c, &swin2sr__kernels_c, &swin2sr__kernels_c_bf16, &swin2sr__kernels_c_int8};
    swin2sr_status status = check_limit(reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (precision < 0 || precision >= SWIN2SR_PRECISION_COUNT)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "unknown precision %d", (int)precision);
    if (precision == SWIN2SR_PRECISION_FP16) /* only GPUs have it */
        precision = SWIN2SR_PRECISION_FP32;
    *ret_kernels = is_plain ? plain[precision] : swin2sr__kernels_get(precision);
    return SWIN2SR_OK;
}
