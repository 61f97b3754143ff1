/* SPDX-License-Identifier: Apache-2.0
 * Signatures of requests, against the four examples that Amazon publishes for S3. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "s3/sign.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST "examplebucket.s3.amazonaws.com"
#define TIME "20130524T000000Z"

static s3_signing request_of(const char *method, const char *path, const char *query) {
    static const s3_header headers[] = {{"host", HOST}, {"x-amz-content-sha256", EMPTY}, {"x-amz-date", TIME}};
    return (s3_signing){.method = method,
                        .path = path,
                        .query = query,
                        .headers = headers,
                        .header_count = 3,
                        .payload_sha256 = EMPTY,
                        .region = "us-east-1",
                        .time = TIME,
                        .access_key = "AKIAIOSFODNN7EXAMPLE",
                        .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
}

static void expect(const s3_signing *request, const char *names, const char *signature) {
    char value[S3_AUTHORIZATION_BYTES], wanted[S3_AUTHORIZATION_BYTES];
    assert_int_equal(s3_sign(request, value), SWIN2SR_OK);
    snprintf(wanted, sizeof wanted,
             "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=%s,"
             "Signature=%s",
             names, signature);
    assert_string_equal(value, wanted);
}

static void published_get_of_a_range(void **state) {
    static const s3_header headers[] = {
        {"host", HOST}, {"range", "bytes=0-9"}, {"x-amz-content-sha256", EMPTY}, {"x-amz-date", TIME}};
    s3_signing request = request_of("GET", "/test.txt", "");
    request.headers = headers;
    request.header_count = 4;
    expect(&request, "host;range;x-amz-content-sha256;x-amz-date",
           "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void published_put(void **state) {
    static const char sha256[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    static const s3_header headers[] = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                        {"host", HOST},
                                        {"x-amz-content-sha256", sha256},
                                        {"x-amz-date", TIME},
                                        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    s3_signing request = request_of("PUT", "/test%24file.text", "");
    request.headers = headers;
    request.header_count = 5;
    request.payload_sha256 = sha256;
    expect(&request, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
           "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void published_query_without_a_value(void **state) {
    s3_signing request = request_of("GET", "/", "lifecycle=");
    expect(&request, "host;x-amz-content-sha256;x-amz-date",
           "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void published_list(void **state) {
    s3_signing request = request_of("GET", "/", "max-keys=2&prefix=J");
    expect(&request, "host;x-amz-content-sha256;x-amz-date",
           "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void blanks_in_a_value_count_once(void **state) {
    static const s3_header plain[] = {{"a", "one two"}}, padded[] = {{"a", "  one   two "}};
    char one[S3_AUTHORIZATION_BYTES], other[S3_AUTHORIZATION_BYTES];
    s3_signing request = request_of("GET", "/", "");
    request.header_count = 1;
    request.headers = plain;
    assert_int_equal(s3_sign(&request, one), SWIN2SR_OK);
    request.headers = padded;
    assert_int_equal(s3_sign(&request, other), SWIN2SR_OK);
    assert_string_equal(one, other);
}

/* A secret that with its prefix is longer than one block is hashed first (RFC 2104); from Python's hmac. */
static void long_secret(void **state) {
    char secret[101];
    memset(secret, 'k', 100);
    secret[100] = '\0';
    s3_signing request = request_of("GET", "/test.txt", "");
    request.secret_key = secret;
    expect(&request, "host;x-amz-content-sha256;x-amz-date",
           "42b2b619081a9a5be7e8fd639246bd79b37a139033198ad677f42e31458b779d");
}

static void what_does_not_fit_is_refused(void **state) {
    char text[2000], value[S3_AUTHORIZATION_BYTES] = "untouched";
    memset(text, 'k', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    s3_signing request = request_of("GET", "/", "");
    request.secret_key = text;
    assert_int_equal(s3_sign(&request, value), SWIN2SR_TOO_LARGE);
    request = request_of("GET", "/", "");
    request.access_key = text;
    assert_int_equal(s3_sign(&request, value), SWIN2SR_TOO_LARGE);
    request = request_of("GET", "/", "");
    request.region = text;
    assert_int_equal(s3_sign(&request, value), SWIN2SR_TOO_LARGE);
    const s3_header headers[] = {{text, "1"}};
    request = request_of("GET", "/", "");
    request.headers = headers;
    request.header_count = 1;
    assert_int_equal(s3_sign(&request, value), SWIN2SR_TOO_LARGE);
    assert_string_equal(value, "untouched");
}

static void times(void **state) {
    char text[S3_TIME_BYTES];
    s3_write_time(1369353600, text);
    assert_string_equal(text, TIME);
    s3_write_time(INT64_MAX, text);
    assert_int_equal(strlen(text), S3_TIME_BYTES - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_get_of_a_range),        cmocka_unit_test(published_put),
        cmocka_unit_test(published_query_without_a_value), cmocka_unit_test(published_list),
        cmocka_unit_test(blanks_in_a_value_count_once),    cmocka_unit_test(long_secret),
        cmocka_unit_test(what_does_not_fit_is_refused),    cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
