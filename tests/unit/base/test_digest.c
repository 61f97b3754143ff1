/* SPDX-License-Identifier: Apache-2.0
 * test_digest.c - SHA-1 against FIPS 180-4 and Python's hashlib, and both digests of a message in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha1.h"
#include "base/sha256.h"

static void write_hex(const unsigned char *bytes, size_t size, char hex[65]) {
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static void assert_sha1(const void *data, size_t size, const char *expected) {
    unsigned char bytes[SWIN2SR__DIGEST_MAX_BYTES];
    char hex[65];
    swin2sr__digest message = swin2sr__sha1_begin();
    swin2sr__digest_add(&message, data, size);
    assert_int_equal(message.digest_bytes, 20);
    swin2sr__digest_end(&message, bytes);
    write_hex(bytes, 20, hex);
    assert_string_equal(hex, expected);
}

static void fips_examples(void **state) {
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_sha1("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_sha1(two_blocks, strlen(two_blocks), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

/* Byte i is 7i mod 256; the lengths lie on both sides of where the padding takes one block or two. */
static void hashlib_values(void **state) {
    static const struct {
        size_t size;
        const char *hex;
    } cases[] = {
        {0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},   {1, "5ba93c9db0cff93f52b521d7420e43f6eda2784f"},
        {55, "aecd1643c9903b9bae8cb94f53c50f8a4e18605b"},  {56, "f5d65c621c02cc8e785159feff8088e3072da1bc"},
        {63, "4952f0fe097e4d6410ae9eab4855aa836caf3bff"},  {64, "1e17ae1fc093e5daca033553c97a5192ca164486"},
        {65, "ac44f5dbe3e9b5d2733fc9537fcad715c3c20bc3"},  {119, "b4a4e69060d0b1e7e8ebbf7041a4211c63438b57"},
        {120, "b651390c2996406336a3f6647e4b590c18cdd6f8"}, {1000000, "71b498236207a389fa6c60be651e78dd5ae7d812"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char *bytes = malloc(cases[i].size + 1);
        assert_non_null(bytes);
        for (size_t at = 0; at < cases[i].size; at++)
            bytes[at] = (unsigned char)(at * 7);
        assert_sha1(bytes, cases[i].size, cases[i].hex);
        free(bytes);
    }
    assert_sha1(NULL, 0, cases[0].hex);
}

/* Three pieces, the middle one of every size; each message also ends with an empty piece. */
static void pieces_do_not_matter(void **state) {
    enum {
        SIZE = 200
    };
    unsigned char message[SIZE], whole[SWIN2SR__DIGEST_MAX_BYTES], cut[SWIN2SR__DIGEST_MAX_BYTES];
    for (size_t i = 0; i < SIZE; i++)
        message[i] = (unsigned char)(i * 13 + 5);
    for (int kind = 0; kind < 2; kind++)
        for (size_t first = 0; first <= SIZE; first += 9)
            for (size_t second = first; second <= SIZE; second++) {
                swin2sr__digest one = kind ? swin2sr__sha256_begin() : swin2sr__sha1_begin(), three = one;
                swin2sr__digest_add(&one, message, SIZE);
                swin2sr__digest_end(&one, whole);
                swin2sr__digest_add(&three, message, first);
                swin2sr__digest_add(&three, message + first, second - first);
                swin2sr__digest_add(&three, message + second, SIZE - second);
                swin2sr__digest_add(&three, NULL, 0);
                swin2sr__digest_end(&three, cut);
                assert_memory_equal(whole, cut, one.digest_bytes);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fips_examples),
        cmocka_unit_test(hashlib_values),
        cmocka_unit_test(pieces_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
