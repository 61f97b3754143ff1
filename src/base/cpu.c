/* SPDX-License-Identifier: Apache-2.0
 * base/cpu.c - processor features, found at run time. Built without any ISA flag. */
#include "base/cpu.h"

#include <pthread.h>
#include <string.h>

static char name[49] = "unknown";
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
#include <cpuid.h>

/* From leaf 7, because __builtin_cpu_supports does not know SHA in gcc 12 and AVX-VNNI in clang 14. */
static bool has_sha(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

static bool has_avxvnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && a & bit_AVXVNNI;
}

swin2sr__cpu swin2sr__cpu_detect(void) {
    __builtin_cpu_init();
    return (swin2sr__cpu){
        .has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
        .has_avxvnni = has_avxvnni(),
        .has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("fma"),
        .has_vnni = __builtin_cpu_supports("avx512vnni"),
        .has_bf16 = __builtin_cpu_supports("avx512bf16"),
        /* On Intel vdpbf16ps is no faster than fp32: github.com/libxsmm/tpp-mlir/pull/1025; on AMD it is twice as fast:
         * github.com/iree-org/iree/pull/15089, and the measurement of peak.h on a Zen 5. */
        .is_bf16_fast = __builtin_cpu_is("amd"),
        .has_sha = has_sha() && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1"),
    };
}

static void find_name(void) {
    unsigned words[12];
    for (unsigned i = 0; i < 3; i++) {
        if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]))
            return;
    }
    memcpy(name, words, sizeof words);
    for (size_t end = strlen(name); end && name[end - 1] == ' ';)
        name[--end] = 0;
}
#else
#if defined(__aarch64__)
#include <sys/auxv.h>

swin2sr__cpu swin2sr__cpu_detect(void) {
    unsigned long features = getauxval(AT_HWCAP2);
    return (swin2sr__cpu){.has_bf16 = features & HWCAP2_BF16, .has_i8mm = features & HWCAP2_I8MM};
}
#else
swin2sr__cpu swin2sr__cpu_detect(void) {
    return (swin2sr__cpu){0};
}
#endif

static void find_name(void) {
}
#endif

const char *swin2sr__cpu_name(void) {
    pthread_once(&once, find_name);
    return name;
}
