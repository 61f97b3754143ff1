/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/api/test_tus.c - header fields of resumable uploads: what is accepted, and what a client is told. */
#include "api/tus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"

static void numbers(void **state) {
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0}, {"007", 7}, {"1048576", 1 << 20}, {"9223372036854775807", INT64_MAX}};
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "1.5", "0x10", "1e3", "1,000", "9223372036854775808", "18446744073709551617"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t value = 99;
        assert_true(tus_parse_number(good[i].text, &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t value = 99;
        assert_false(tus_parse_number(bad[i], &value));
        assert_int_equal(value, 99);
    }
}

static void metadata(void **state) {
    static const struct {
        const char *text, *fault; /* a part of it; NULL: the text is right */
    } rows[] = {
        {"", NULL},
        {"filename d29ybGQ=", NULL},
        {"filename d29ybGQ=,is_confidential", NULL},
        {"filename d29ybGQ=, type aW1hZ2UvcG5n , empty ", "base64"},
        {"filename d29ybGQ=, type aW1hZ2UvcG5n, empty ", NULL},
        {"name YQ==,names YQ==", NULL},
        {"names YQ==,name YQ==", NULL},
        {"name YQ==,name Yg==", "twice"},
        {"name,name Yg==", "twice"},
        {"name YQ==, name", "twice"},
        {" YQ==", NULL}, /* a key without a value */
        {"filename d29ybGQ", "base64"},
        {"filename d29y=GQ=", "base64"},
        {"filename =d29ybGQ", "base64"},
        {"filename d29ybG===", "base64"},
        {"filename d29yb-Q=", "base64"},
        {"filename  d29ybGQ=", "base64"},
        {"\xc3\xa9 YQ==", "ASCII"},
        {",a YQ==", "empty"},
        {"a YQ==,,b YQ==", "empty"},
        {"a YQ==,", "comma"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *fault = tus_metadata_fault(rows[i].text);
        if (!rows[i].fault)
            assert_null(fault);
        else
            assert_true(fault && strstr(fault, rows[i].fault));
    }
}

static void metadata_is_bounded(void **state) {
    char text[LIMIT_UPLOAD_METADATA_BYTES + 1] = "", *at = text;
    memset(text, 'a', LIMIT_UPLOAD_METADATA_BYTES);
    text[LIMIT_UPLOAD_METADATA_BYTES] = '\0';
    assert_non_null(strstr(tus_metadata_fault(text), "long"));
    text[LIMIT_UPLOAD_METADATA_BYTES - 1] = '\0';
    assert_null(tus_metadata_fault(text));
    for (int i = 0; i < LIMIT_UPLOAD_METADATA_COUNT + 1; i++) {
        *at++ = (char)('a' + i);
        *at++ = ',';
    }
    at[-1] = '\0';
    assert_non_null(strstr(tus_metadata_fault(text), "many"));
    at[-3] = '\0';
    assert_null(tus_metadata_fault(text));
}

/* The digests are those of "hello world". */
static void checksums(void **state) {
    static const char *const good[] = {"sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
                                       "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="};
    static const char *const bad[] = {"",
                                      "sha1",
                                      "sha1 ",
                                      "sha1Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
                                      "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
                                      "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0",
                                      "sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
                                      "sha1 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
                                      "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
                                      "md5 XrY7u+Ae7tCTyyK7j1rNww==",
                                      "sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"};
    tus_checksum self;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(tus_parse_checksum(good[i], &self));
        swin2sr__digest_add(&self.digest, "hello ", 6);
        swin2sr__digest_add(&self.digest, "world", 5);
        assert_true(tus_checksum_fits(&self));
        assert_true(tus_parse_checksum(good[i], &self));
        swin2sr__digest_add(&self.digest, "hello worle", 11);
        assert_false(tus_checksum_fits(&self));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(tus_parse_checksum(bad[i], &self));
}

static void dates(void **state) {
    char text[TUS_DATE_BYTES];
    tus_write_date(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    tus_write_date(0, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),   cmocka_unit_test(metadata), cmocka_unit_test(metadata_is_bounded),
        cmocka_unit_test(checksums), cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
