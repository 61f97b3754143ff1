/* SPDX-License-Identifier: Apache-2.0
 * Keys of a store, from files and from the environment. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "s3/credentials.h"

static void expect_keys(const char *text, const char *access, const char *secret, const char *token) {
    s3_keys keys = {.access = "?"};
    char *copy = strdup(text);
    bool is_valid = s3_keys_parse(copy, &keys);
    free(copy);
    assert_int_equal(is_valid, access != NULL);
    assert_string_equal(keys.access, access ? access : "?");
    if (!access)
        return;
    assert_string_equal(keys.secret, secret);
    assert_string_equal(keys.token, token);
}

static void texts(void **state) {
    expect_keys("aws_access_key_id = A:b\naws_secret_access_key=s/+=\n", "A:b", "s/+=", "");
    expect_keys("# c\n[other]\naws_access_key_id = X\naws_secret_access_key = Y\r\n\n[default]\r\n"
                " aws_access_key_id = A\r\n\taws_secret_access_key = S\r\naws_session_token = T\r\nregion = r\n",
                "A", "S", "T");
    expect_keys("[team]\naws_access_key_id = A\naws_secret_access_key = S", "A", "S", "");
    expect_keys("", NULL, NULL, NULL);
    expect_keys("aws_access_key_id = A\n", NULL, NULL, NULL);
    expect_keys("aws_access_key_id =\naws_secret_access_key = S", NULL, NULL, NULL);
    expect_keys("aws_access_key_id = A b\naws_secret_access_key = S", NULL, NULL, NULL);
    expect_keys("aws_access_key_id = A\naws_secret_access_key = S\x01", NULL, NULL, NULL);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void replaced_file_is_read_again(void **state) {
    char folder[] = "/tmp/swin2sr-keys-XXXXXX", path[64], other[64];
    s3_credentials credentials;
    s3_keys keys;
    swin2sr_error error = {""};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/keys", folder);
    snprintf(other, sizeof other, "%s/new", folder);
    write_file(path, "aws_access_key_id = A\naws_secret_access_key = one\n");
    assert_int_equal(s3_credentials_open(&credentials, path, &error), SWIN2SR_OK);
    write_file(other, "aws_access_key_id = A\naws_secret_access_key = two\n");
    rename(other, path);
    s3_credentials_take(&credentials, &keys);
    assert_string_equal(keys.secret, "two");
    write_file(path, "half of a fi"); /* the earlier keys stay */
    s3_credentials_take(&credentials, &keys);
    assert_string_equal(keys.secret, "two");
    unlink(path);
    s3_credentials_take(&credentials, &keys);
    assert_string_equal(keys.secret, "two");
    s3_credentials_close(&credentials);
    rmdir(folder);
}

static void missing_and_wrong_files_are_named(void **state) {
    char path[] = "/tmp/swin2sr-keys-XXXXXX";
    s3_credentials credentials;
    swin2sr_error error = {""};
    assert_int_equal(s3_credentials_open(&credentials, "/nowhere/keys", &error), SWIN2SR_IO);
    assert_non_null(strstr(error.text, "/nowhere/keys"));
    s3_credentials_close(&credentials);
    close(mkstemp(path));
    write_file(path, "aws_secret_access_key = SECRET\n");
    assert_int_equal(s3_credentials_open(&credentials, path, &error), SWIN2SR_INVALID);
    assert_non_null(strstr(error.text, "aws_access_key_id"));
    assert_null(strstr(error.text, "= SECRET\n"));
    s3_credentials_close(&credentials);
    unlink(path);
}

static void environment(void **state) {
    s3_credentials credentials;
    s3_keys keys;
    swin2sr_error error = {""};
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
    unsetenv("AWS_SESSION_TOKEN");
    assert_int_equal(s3_credentials_open(&credentials, NULL, &error), SWIN2SR_INVALID);
    assert_non_null(strstr(error.text, "AWS_ACCESS_KEY_ID"));
    assert_null(strstr(error.text, "hidden"));
    s3_credentials_close(&credentials);
    setenv("AWS_ACCESS_KEY_ID", "test:tester", 1);
    assert_int_equal(s3_credentials_open(&credentials, NULL, &error), SWIN2SR_OK);
    s3_credentials_take(&credentials, &keys);
    assert_string_equal(keys.access, "test:tester");
    assert_string_equal(keys.secret, "hidden");
    s3_credentials_close(&credentials);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(replaced_file_is_read_again),
        cmocka_unit_test(missing_and_wrong_files_are_named),
        cmocka_unit_test(environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
