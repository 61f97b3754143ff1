/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/kernels/test_levels.c - which table runs bf16 on a processor with AMX, by SWIN2SR_CPU and the kernel's answer.
 * Each case is a process of its own, because a choice is made once. In this program swin2sr__cpu_detect and its likes have
 * other names (meson.build). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/amx.h"
#include "base/cpu.h"
#include "kernels/kernels.h"

#define ASK_THE_KERNEL (-1) /* as an answer: whatever this machine's kernel says to the request */

static int kernel_answer, requests;

swin2sr__cpu swin2sr__cpu_detect(void) {
    return (swin2sr__cpu){.has_avx2 = true, .has_avx512 = true, .has_vnni = true, .has_bf16 = true};
}

static void full_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t ret_words[4]) {
    (void)leaf, (void)subleaf;
    memset(ret_words, 0xff, 4 * sizeof *ret_words);
}

static uint64_t full_xcr0(void) {
    return UINT64_MAX;
}

static int answer_arch_prctl(int code, unsigned long argument) {
    if (code == SWIN2SR__ARCH_GET_XCOMP_PERM)
        memset((void *)argument, 0xff, sizeof(uint64_t));
    else
        requests++;
    if (kernel_answer != ASK_THE_KERNEL)
        return kernel_answer;
    return code == SWIN2SR__ARCH_REQ_XCOMP_PERM && syscall(SYS_arch_prctl, code, argument) ? errno : 0;
}

const swin2sr__amx_probe swin2sr__amx_probe_here = {full_cpuid, full_xcr0, answer_arch_prctl};
const swin2sr__kernels swin2sr__kernels_amx = {
    .name = "amx", .precision = SWIN2SR_PRECISION_BF16, .pair = 2, .tile = SWIN2SR__TILE};

/* As the seccomp profile of a container does: from now on the kernel answers requests for tiles with EXDEV, an error that
 * it never gives itself. */
static bool refuse_requests(void) {
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SWIN2SR__ARCH_REQ_XCOMP_PERM, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof steps / sizeof steps[0], steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

/* 0: the choice is as expected. */
static int choose(const char *limit, int answer, const char *name, const char *note, int expected_requests) {
    if (limit)
        setenv("SWIN2SR_CPU", limit, 1);
    else
        unsetenv("SWIN2SR_CPU");
    kernel_answer = answer;
    swin2sr__kernels_get(SWIN2SR_PRECISION_FP32);
    if (requests || swin2sr__kernels_note(SWIN2SR_PRECISION_FP32)[0])
        return 1; /* permission is asked for when bf16 is wanted, not before */
    for (int i = 0; i < 3; i++) {
        if (strcmp(swin2sr__kernels_get(SWIN2SR_PRECISION_BF16)->name, name) != 0)
            return 2;
    }
    const char *said = swin2sr__kernels_note(SWIN2SR_PRECISION_BF16);
    if (note ? !strstr(said, note) : said[0] != 0)
        return 3;
    return requests == expected_requests ? 0 : 4;
}

static void expect_choice(const char *limit, int answer, const char *name, const char *note, int expected_requests) {
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (answer == ASK_THE_KERNEL && !refuse_requests())
            _exit(5);
        _exit(choose(limit, answer, name, note, expected_requests));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void tiles_where_the_kernel_agrees(void **state) {
    (void)state;
    expect_choice(NULL, 0, "amx", NULL, 1);
    expect_choice("amx", 0, "amx", NULL, 1);
}

static void next_level_where_it_refuses(void **state) {
    (void)state;
    expect_choice(NULL, EPERM, "bf16", strerror(EPERM), 1);
    expect_choice("amx", ENOSPC, "bf16", strerror(ENOSPC), 1);
}

static void next_level_where_seccomp_refuses(void **state) {
    (void)state;
    expect_choice(NULL, ASK_THE_KERNEL, "bf16", strerror(EXDEV), 1);
    expect_choice("amx", ASK_THE_KERNEL, "bf16", strerror(EXDEV), 1);
}

static void lower_limit_asks_for_nothing(void **state) {
    (void)state;
    expect_choice("bf16", EPERM, "bf16", NULL, 0);
    expect_choice("avx512", EPERM, "c_bf16", NULL, 0);
    expect_choice("c", 0, "c_bf16", NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_where_the_kernel_agrees),
        cmocka_unit_test(next_level_where_it_refuses),
        cmocka_unit_test(next_level_where_seccomp_refuses),
        cmocka_unit_test(lower_limit_asks_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
