/* SPDX-License-Identifier: Apache-2.0
 * Addresses of stores and of objects. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "s3/address.h"

static s3_place place_of(const char *endpoint, const char *prefix, bool is_virtual) {
    s3_place place;
    swin2sr_error error = {""};
    if (s3_place_parse(endpoint, "a-bucket", prefix, is_virtual, &place, &error) != SWIN2SR_OK)
        fail_msg("%s", error.text);
    return place;
}

static void expect_url(const s3_place *place, const char *key, const char *query, const char *host, const char *url) {
    s3_address address;
    assert_int_equal(s3_address_make(place, key, query, &address), SWIN2SR_OK);
    assert_string_equal(address.host, host);
    assert_string_equal(address.url, url);
}

static void by_path(void **state) {
    s3_place place = place_of("http://127.0.0.1:9000", "", false);
    expect_url(&place, "jobs/1.json", "", "127.0.0.1:9000", "http://127.0.0.1:9000/a-bucket/jobs/1.json");
    expect_url(&place, NULL, "list-type=2", "127.0.0.1:9000", "http://127.0.0.1:9000/a-bucket?list-type=2");
}

static void by_name(void **state) {
    s3_place place = place_of("https://oss-cn-hangzhou.aliyuncs.com", "", true);
    expect_url(&place, "k", "", "a-bucket.oss-cn-hangzhou.aliyuncs.com",
               "https://a-bucket.oss-cn-hangzhou.aliyuncs.com/k");
    expect_url(&place, NULL, "x=", "a-bucket.oss-cn-hangzhou.aliyuncs.com",
               "https://a-bucket.oss-cn-hangzhou.aliyuncs.com/?x=");
}

/* libcurl leaves out the port of the scheme, and so does what is signed. */
static void port_of_the_scheme_is_left_out(void **state) {
    s3_place place = place_of("https://s3.example:443", "", false);
    expect_url(&place, "k", "", "s3.example", "https://s3.example/a-bucket/k");
    place = place_of("http://s3.example:443", "", false);
    expect_url(&place, "k", "", "s3.example:443", "http://s3.example:443/a-bucket/k");
    place = place_of("http://[::1]:80", "", false);
    expect_url(&place, "k", "", "[::1]", "http://[::1]/a-bucket/k");
}

static void keys_are_encoded(void **state) {
    s3_place place = place_of("http://h", "team/one", false);
    expect_url(&place, "a b+c%/\xc3\xa4~.x", "", "h", "http://h/a-bucket/team/one/a%20b%2Bc%25/%C3%A4~.x");
    char query[64] = "prefix=";
    assert_true(s3_query_append(query, sizeof query, "a/b=c&d"));
    assert_string_equal(query, "prefix=a%2Fb%3Dc%26d");
    char small[10] = "prefix=";
    assert_true(s3_query_append(small, sizeof small, "ab"));
    assert_false(s3_query_append(small, sizeof small, "c"));
    assert_string_equal(small, "prefix=ab");
}

static void long_keys_are_refused(void **state) {
    char key[S3_PATH_BYTES];
    s3_address address;
    s3_place place = place_of("http://h", "", false);
    memset(key, ' ', sizeof key);
    key[S3_PATH_BYTES / 3] = '\0';
    assert_int_equal(s3_address_make(&place, key, "", &address), SWIN2SR_TOO_LARGE);
}

static void wrong_settings_are_named(void **state) {
    static const struct {
        const char *endpoint, *bucket, *prefix;
        bool is_virtual;
        const char *named;
    } rows[] = {
        {"s3.example", "bucket", "", false, "'s3.example'"},
        {"ftp://s3.example", "bucket", "", false, "http://HOST"},
        {"http://", "bucket", "", false, "'http://'"},
        {"http://s3.example/", "bucket", "", false, "without a path"},
        {"http://user@s3.example", "bucket", "", false, "address of a store"},
        {"http://s3.example:", "bucket", "", false, "address of a store"},
        {"http://s3.example:0", "bucket", "", false, "address of a store"},
        {"http://s3.example:65536", "bucket", "", false, "address of a store"},
        {"http://[::1", "bucket", "", false, "address of a store"},
        {"http://s3.example", "ab", "", false, "'ab' is not the name of a bucket"},
        {"http://s3.example", "Bucket", "", false, "lower-case"},
        {"http://s3.example", "bucket/x", "", false, "name of a bucket"},
        {"http://s3.example", "bucket-", "", false, "name of a bucket"},
        {"http://s3.example", "a..b", "", false, "name of a bucket"},
        {"http://s3.example", "bucket", "/x", false, "'/x'"},
        {"http://s3.example", "bucket", "../x", false, "'../x'"},
        {"http://s3.example", "bucket", "a/../x", false, "names of objects"},
        {"http://s3.example", "bucket", "a//x", false, "names of objects"},
        {"http://s3.example", "bucket", "a b", false, "names of objects"},
        {"http://127.0.0.1:9000", "bucket", "", true, "127.0.0.1"},
        {"http://[::1]", "bucket", "", true, "addressing by path"},
        {"https://s3.example", "a.bucket", "", true, "certificate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s3_place place;
        swin2sr_error error = {""};
        assert_int_equal(
            s3_place_parse(rows[i].endpoint, rows[i].bucket, rows[i].prefix, rows[i].is_virtual, &place, &error),
            SWIN2SR_INVALID);
        if (!strstr(error.text, rows[i].named))
            fail_msg("row %zu: %s", i, error.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_path),
        cmocka_unit_test(by_name),
        cmocka_unit_test(port_of_the_scheme_is_left_out),
        cmocka_unit_test(keys_are_encoded),
        cmocka_unit_test(long_keys_are_refused),
        cmocka_unit_test(wrong_settings_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
