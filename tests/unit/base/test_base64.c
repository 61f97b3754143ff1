/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_base64.c - the examples of RFC 4648, every byte both ways, and texts that are not base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void the_examples_of_the_rfc(void **state) {
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[16];
        unsigned char bytes[8];
        size_t size = strlen(pairs[i][0]);
        swin2sr__base64_encode((const unsigned char *)pairs[i][0], size, text);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(strlen(text) + 1, SWIN2SR__BASE64_BYTES(size));
        assert_int_equal(swin2sr__base64_decode(text, strlen(text), bytes, sizeof bytes), size);
        assert_memory_equal(bytes, pairs[i][0], size);
    }
}

static void every_byte(void **state) {
    unsigned char bytes[256], back[256];
    char text[SWIN2SR__BASE64_BYTES(256)];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + 3);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        swin2sr__base64_encode(bytes, size, text);
        assert_int_equal(swin2sr__base64_decode(text, strlen(text), back, sizeof back), size);
        assert_memory_equal(back, bytes, size);
    }
}

static void what_is_not_base64(void **state) {
    static const char *const texts[] = {"Zg", "Zg=", "Z===", "Zg==Zg==", "=Zm8", "Zm-v", "Zm 9", "Zm\n9"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(swin2sr__base64_decode(texts[i], strlen(texts[i]), NULL, 0), SIZE_MAX);
}

/* More text than there is room: nothing is written behind the room. */
static void without_room(void **state) {
    unsigned char bytes[4] = {0, 0, 7, 7};
    assert_int_equal(swin2sr__base64_decode("Zm9vYmFy", 8, bytes, 2), 6);
    assert_memory_equal(bytes, "fo\7\7", 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(what_is_not_base64),
        cmocka_unit_test(without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
