/* SPDX-License-Identifier: Apache-2.0
 * test_sha256.c - SHA-256 against the FIPS 180-4 example messages, Python's hashlib, and every padding case, by each
 * variant that the processor has. The fixture's digest is hashlib's value of the committed file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/sha256.h"

#ifndef SWIN2SR_SOURCE_DIR
#define SWIN2SR_SOURCE_DIR "."
#endif

static void assert_digest(const void *data, size_t size, const char *expected) {
    char hex[65];
    swin2sr__sha256_hex(data, size, hex);
    assert_string_equal(hex, expected);
    swin2sr__sha256_hex_by(swin2sr__sha256_compress_c, data, size, hex);
    assert_string_equal(hex, expected);
}

static void fips_examples(void **state) {
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    assert_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest(two_blocks, strlen(two_blocks), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_digest(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* Byte i is 7i mod 256; the lengths lie on both sides of where the padding takes one block or two. */
static void hashlib_values(void **state) {
    static const struct {
        size_t size;
        const char *hex;
    } cases[] = {
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {55, "576a1bf8d4478657e6dc4af9398544765c2a92cde28478b019235cfed315fc09"},
        {56, "9b20501dfd1d99161c257950f3444f3e49230c351c5c8e0943ef369f85f5205d"},
        {63, "30b345906b493f06f69444b6521113511c242f30e29840462950035043682f1e"},
        {64, "d8bc63b4fc1156e5e7d95a418b9bf54cd3174bedbc2db40f74895349b229b3c0"},
        {65, "1ee23b0fbcaecc1aff4a9e8f1645f35ab2c8e13609cd73b68df8b5e3f63ce073"},
        {119, "7a6589821178918ca8d9edaba5abfc1e9b2669564f4469b66885379c1530b2c8"},
        {120, "655250427d56b1b0eeb8497d21428704273458a01772d6881b65c0abac0f8a98"},
        {1000000, "36d8612204e70e840d13eda28f71fdb28725faaba02ae27e3eae7b0770b03fe6"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char *bytes = malloc(cases[i].size + 1);
        assert_non_null(bytes);
        for (size_t at = 0; at < cases[i].size; at++)
            bytes[at] = (unsigned char)(at * 7);
        assert_digest(bytes, cases[i].size, cases[i].hex);
        free(bytes);
    }
    assert_digest(NULL, 0, cases[0].hex);
}

static void fixture(void **state) {
    enum {
        FIXTURE_BYTES = 571852
    };
    const char *root = getenv("SWIN2SR_SOURCE_DIR");
    char path[4096];
    snprintf(path, sizeof(path), "%s/tests/fixtures/goldens/jpeg_gray.safetensors", root ? root : SWIN2SR_SOURCE_DIR);
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = malloc(FIXTURE_BYTES + 1);
    assert_non_null(file);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, FIXTURE_BYTES + 1, file), FIXTURE_BYTES);
    assert_digest(bytes, FIXTURE_BYTES, "413e2bce644e61afa6a82bfe2f8c82812d9cefabafb2b5d5aab4c6b2cf68ef86");
    free(bytes);
    fclose(file);
}

/* Any hash, any number of blocks, any alignment: the same bits from both. */
static void sha_instructions_give_the_bits_of_plain_c(void **state) {
#if defined(__x86_64__)
    enum {
        MAX_BLOCKS = 17
    };
    if (!swin2sr__cpu_detect().has_sha)
        skip();
    uint32_t noise = 1;
    for (int round = 0; round < 500; round++) {
        size_t count = (size_t)round % (MAX_BLOCKS + 1), skipped = (size_t)round % 7;
        unsigned char *bytes = malloc(skipped + 64 * count + 1);
        uint32_t plain[8], fast[8];
        assert_non_null(bytes);
        for (size_t i = 0; i < skipped + 64 * count; i++)
            bytes[i] = (unsigned char)((noise = noise * 1664525u + 1013904223u) >> 24);
        for (int i = 0; i < 8; i++)
            plain[i] = fast[i] = noise = noise * 1664525u + 1013904223u;
        swin2sr__sha256_compress_c(plain, bytes + skipped, count);
        swin2sr__sha256_compress_sha(fast, bytes + skipped, count);
        assert_memory_equal(plain, fast, sizeof(plain));
        free(bytes);
    }
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fips_examples),
        cmocka_unit_test(hashlib_values),
        cmocka_unit_test(fixture),
        cmocka_unit_test(sha_instructions_give_the_bits_of_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
