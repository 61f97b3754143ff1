/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_memory.c - arenas: what was counted is what is handed out; overflow is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/checked_math.h"
#include "base/memory.h"

static void test_count_then_take(void **state) {
    (void)state;
    swin2sr__arena arena = {0};
    assert_null(swin2sr__arena_take(&arena, 3, 5));
    assert_null(swin2sr__arena_take(&arena, 1, 64));
    assert_null(swin2sr__arena_take(&arena, 0, 8));
    size_t counted = arena.used;
    assert_int_equal(counted, 128);
    assert_true(swin2sr__arena_allocate(&arena));
    unsigned char *first = swin2sr__arena_take(&arena, 3, 5), *second = swin2sr__arena_take(&arena, 1, 64);
    assert_int_equal((uintptr_t)first % SWIN2SR__ALIGN, 0);
    assert_ptr_equal(second, first + 64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(second[i], 0);
    assert_null(swin2sr__arena_take(&arena, 1, 1)); /* more than was counted */
    assert_true(arena.is_overflown);
    swin2sr__arena_done(&arena);
    assert_null(arena.base);
}

static void test_overflow(void **state) {
    (void)state;
    swin2sr__arena arena = {0};
    swin2sr__arena_take(&arena, SIZE_MAX / 2, 3);
    assert_true(arena.is_overflown);
    assert_false(swin2sr__arena_allocate(&arena));
    arena = (swin2sr__arena){0};
    swin2sr__arena_take(&arena, SIZE_MAX - 10, 1);
    assert_true(arena.is_overflown);
}

static void test_checked_math(void **state) {
    (void)state;
    size_t value = 7;
    assert_false(swin2sr__size_mul(SIZE_MAX, 2, &value));
    assert_false(swin2sr__size_add(SIZE_MAX, 1, &value));
    assert_int_equal(value, 7);
    assert_true(swin2sr__size_mul(6, 7, &value));
    assert_int_equal(value, 42);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count_then_take),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_checked_math),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
