/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_hmac.c - test cases of RFC 4231: a short key, and one that is longer than a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/hmac.h"

static void check(const void *key, size_t key_size, const char *message, const char *wanted) {
    unsigned char bytes[SWIN2SR__HMAC_BYTES];
    char hex[2 * SWIN2SR__HMAC_BYTES + 1];
    swin2sr__hmac hmac = swin2sr__hmac_begin(key, key_size);
    size_t first = strlen(message) / 3;
    swin2sr__digest_add(&hmac.inner, message, first);
    swin2sr__digest_add(&hmac.inner, message + first, strlen(message) - first);
    swin2sr__hmac_end(&hmac, bytes);
    swin2sr__hex(bytes, sizeof bytes, hex);
    assert_string_equal(hex, wanted);
}

static void the_cases_of_the_rfc(void **state) {
    unsigned char ones[131];
    memset(ones, 0xaa, sizeof ones);
    check("Jefe", 4, "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check(ones, sizeof ones, "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_cases_of_the_rfc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
