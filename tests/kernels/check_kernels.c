/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_kernels.c - runs every check on every table of kernels that this processor can run, and on the
 * tables whose instructions are emulated.
 * usage: check_kernels [--bench | NAME]   NAME: only this table, as "emulated amx" */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "emulated/tables.h"

static const struct {
    const char *name;
    void (*check)(const swin2sr__kernels *table, check_result *r);
} checks[] = {
    {"linear", check_linear},
    {"linear_gelu", check_linear_gelu},
    {"linear_squares", check_linear_squares},
    {"int8", check_int8},
    {"attention", check_attention},
    {"norms", check_norms},
    {"conv3x3", check_conv},
    {"conv3x3_panel", check_conv_panel},
    {"put_bytes", check_put_bytes},
    {"gather and scatter", check_cells},
};

/* Runs every check that applies to the table and counts. */
static void check_table(const swin2sr__kernels *table, const char *name, int *passed, int *failed) {
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        check_result r = {.kernel = checks[i].name, .table = name};
        random_restart();
        if (table->task_begin)
            table->task_begin();
        checks[i].check(table, &r);
        if (table->task_end)
            table->task_end();
        if (!r.checked) /* does not apply to this precision */
            continue;
        printf("%s %-16s %-18s %3d cases, worst error %.2f of its bound\n", r.failed ? "FAIL" : "ok  ", r.table,
               r.kernel, r.checked, r.worst);
        *passed += !r.failed;
        *failed += !!r.failed;
    }
}

int main(int argc, char **argv) {
    static const char *const names[] = {"c",         "avx2",   "avx512",    "c_bf16",    "bf16",
                                        "amx",       "c_int8", "avx2_int8", "avxvnni",   "vnni",
                                        "vnni_bf16", "neon",   "neon_int8", "neon_bf16", "neon_int8_bf16"};
    static const struct {
        const char *name;
        const swin2sr__kernels *table;
    } emulated[] = {
        {"emulated avx512", &swin2sr__emulated_avx512},
        {"emulated vnni", &swin2sr__emulated_vnni},
        {"emulated bf16", &swin2sr__emulated_bf16},
        {"emulated vnni_bf16", &swin2sr__emulated_vnni_bf16},
#if defined(__x86_64__)
        {"emulated avxvnni", &swin2sr__emulated_avxvnni},
        {"emulated amx", &swin2sr__emulated_amx},
#endif
    };
    bool can_emulate = swin2sr__kernels_named("avx2") || swin2sr__kernels_named("neon");
    bool is_bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    const char *only = argc > 1 && !is_bench ? argv[1] : NULL;
    int passed = 0, failed = 0, skipped = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const swin2sr__kernels *table = swin2sr__kernels_named(names[i]);
        if (only && strcmp(only, names[i]) != 0)
            continue;
        if (!table) {
            printf("skip %s: this processor or build does not have it\n", names[i]);
            skipped++;
        } else if (is_bench) {
            if (table->task_begin)
                table->task_begin();
            check_bench(table, 180, 30);
            check_bench(table, 60, 10);
        } else {
            check_table(table, names[i], &passed, &failed);
        }
    }
    for (size_t i = 0; i < sizeof emulated / sizeof emulated[0] && can_emulate && !is_bench; i++) {
        if (!only || strcmp(only, emulated[i].name) == 0)
            check_table(emulated[i].table, emulated[i].name, &passed, &failed);
    }
    printf("kernels: %d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}
