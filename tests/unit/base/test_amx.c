/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_amx.c - AMX's tiles are used only where processor, system and kernel all say so, and the kernel is
 * asked only where the other two do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/amx.h"

#define TILE (1u << 24)
#define BF16 (1u << 22)
#define OSXSAVE (1u << 27)
#define TILE_STATES (3ull << 17)
#define PERMISSION (1ull << 18)

/* What the probes below answer, and how often the kernel was asked for permission. */
static struct {
    uint32_t leaf_7_edx, leaf_1_ecx, palettes, palette_ebx, palette_ecx;
    uint64_t xcr0, allowed;
    int request_error, list_error;
    int requests;
} machine;

static void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t ret_words[4]) {
    ret_words[0] = leaf == 0x1d && subleaf == 0 ? machine.palettes : 0;
    ret_words[1] = leaf == 0x1d && subleaf == 1 ? machine.palette_ebx : 0;
    ret_words[2] = leaf == 1 ? machine.leaf_1_ecx : leaf == 0x1d && subleaf == 1 ? machine.palette_ecx : 0;
    ret_words[3] = leaf == 7 && subleaf == 0 ? machine.leaf_7_edx : 0;
}

static uint64_t machine_xcr0(void) {
    assert_true(machine.leaf_1_ecx & OSXSAVE); /* else the instruction does not exist */
    return machine.xcr0;
}

static int machine_arch_prctl(int code, unsigned long argument) {
    if (code == SWIN2SR__ARCH_REQ_XCOMP_PERM) {
        assert_int_equal(argument, SWIN2SR__XFEATURE_TILES);
        machine.requests++;
        return machine.request_error;
    }
    assert_int_equal(code, SWIN2SR__ARCH_GET_XCOMP_PERM);
    *(uint64_t *)argument = machine.allowed;
    return machine.list_error;
}

static const swin2sr__amx_probe probe = {machine_cpuid, machine_xcr0, machine_arch_prctl};

static void set_willing_machine(void) {
    machine.leaf_7_edx = TILE | BF16;
    machine.leaf_1_ecx = OSXSAVE;
    machine.palettes = 1;
    machine.palette_ebx = 8 << 16 | 64;
    machine.palette_ecx = 16;
    machine.xcr0 = TILE_STATES | 7;
    machine.allowed = PERMISSION | 3;
    machine.request_error = machine.list_error = machine.requests = 0;
}

static void expect_found(bool is_there, bool is_allowed, int error, int requests) {
    swin2sr__amx looked = swin2sr__amx_look(&probe);
    assert_int_equal(looked.is_there, is_there);
    assert_false(looked.is_allowed);
    assert_int_equal(machine.requests, 0); /* looking asks for nothing */
    swin2sr__amx asked = swin2sr__amx_ask(&probe);
    assert_int_equal(asked.is_there, is_there);
    assert_int_equal(asked.is_allowed, is_allowed);
    assert_int_equal(asked.error, error);
    assert_int_equal(machine.requests, requests);
}

static void allowed_where_all_agree(void **state) {
    (void)state;
    set_willing_machine();
    expect_found(true, true, 0, 1);
}

static void missing_feature_is_not_asked_for(void **state) {
    uint32_t *const words[] = {&machine.leaf_7_edx,  &machine.leaf_7_edx,  &machine.leaf_1_ecx, &machine.palettes,
                               &machine.palette_ebx, &machine.palette_ebx, &machine.palette_ecx};
    const uint32_t instead[] = {TILE, BF16, ~OSXSAVE, 0, 8 << 16 | 32, 4 << 16 | 64, 8};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        set_willing_machine();
        *words[i] = instead[i];
        expect_found(false, false, 0, 0);
    }
    for (int bit = 17; bit <= 18; bit++) {
        set_willing_machine();
        machine.xcr0 &= ~(1ull << bit);
        expect_found(false, false, 0, 0);
    }
}

static void refusal_keeps_its_reason(void **state) {
    const int errors[] = {EPERM, ENOSPC, EINVAL, ENOSYS};
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        set_willing_machine();
        machine.request_error = errors[i];
        expect_found(true, false, errors[i], 1);
    }
    set_willing_machine();
    machine.list_error = EINVAL;
    expect_found(true, false, EINVAL, 1);
}

/* A filter may answer 0 in the kernel's place. */
static void consent_without_effect_is_a_refusal(void **state) {
    (void)state;
    set_willing_machine();
    machine.allowed = 3;
    expect_found(true, false, 0, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_where_all_agree),
        cmocka_unit_test(missing_feature_is_not_asked_for),
        cmocka_unit_test(refusal_keeps_its_reason),
        cmocka_unit_test(consent_without_effect_is_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
