/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_crc32.c - the check value of the catalogue, and the same sum however the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crc32.h"

static void the_check_value(void **state) {
    swin2sr__crc32 crc;
    swin2sr__crc32_init(&crc);
    assert_int_equal(swin2sr__crc32_add(&crc, 0, "123456789", 9), 0xcbf43926u);
    assert_int_equal(swin2sr__crc32_add(&crc, 0, "IEND", 4), 0xae426082u);
    assert_int_equal(swin2sr__crc32_add(&crc, 0, NULL, 0), 0);
}

static void cuts_do_not_matter(void **state) {
    unsigned char bytes[100];
    swin2sr__crc32 crc;
    swin2sr__crc32_init(&crc);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    uint32_t all = swin2sr__crc32_add(&crc, 0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        uint32_t first = swin2sr__crc32_add(&crc, 0, bytes, cut);
        assert_int_equal(swin2sr__crc32_add(&crc, first, bytes + cut, sizeof bytes - cut), all);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_value),
        cmocka_unit_test(cuts_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
