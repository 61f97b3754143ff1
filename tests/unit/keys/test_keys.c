/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/keys/test_keys.c - the file of API keys: what is read, what is refused and why, and that a list that is
 * written is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "keys/keys.h"

#define HASH_A "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc", FIPS 180-4 */
#define HASH_B "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TIME "2026-01-31T23:59:59Z"
#define LINE(id, hash, more) "{\"id\":\"" id "\",\"sha256\":\"" hash "\",\"created\":\"" TIME "\"" more "}"
#define WITH(more) LINE("alice-1", HASH_A, more)

static void reads_and_writes(void **state) {
    static const char text[] = LINE("alice-1", HASH_A, "") "\n" LINE(
        "b", HASH_B, ",\"concurrency\":2,\"per_minute\":60,\"admin\":true,\"revoked\":\"" TIME "\"") "\n";
    key_list list;
    unsigned char hash[KEYS_HASH_BYTES];
    assert_int_equal(key_list_parse(text, sizeof text - 1, &list, NULL), SWIN2SR_OK);
    assert_int_equal(list.count, 2);
    assert_ptr_equal(key_list_find(&list, "b"), &list.keys[1]);
    assert_null(key_list_find(&list, "c"));
    keys_hash("abc", hash);
    assert_memory_equal(list.keys[0].hash, hash, sizeof hash);
    assert_int_equal(list.keys[0].concurrency, 0);
    assert_int_equal(list.keys[0].per_minute, 0);
    assert_string_equal(list.keys[0].revoked, "");
    assert_int_equal(list.keys[1].concurrency, 2);
    assert_false(list.keys[0].is_admin);
    assert_true(list.keys[1].is_admin);
    assert_int_equal(list.keys[1].per_minute, 60);
    assert_string_equal(list.keys[1].revoked, TIME);
    char *again = key_list_text(&list);
    assert_string_equal(again, text);
    free(again);
    key_list_done(&list);
}

static void blank_lines_are_skipped(void **state) {
    static const char *const texts[] = {"", "\n\n \t\r\n", "\r\n" WITH("") "\r\n\n", WITH("")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        key_list list;
        assert_int_equal(key_list_parse(texts[i], strlen(texts[i]), &list, NULL), SWIN2SR_OK);
        assert_int_equal(list.count, i < 2 ? 0 : 1);
        key_list_done(&list);
    }
}

static void wrong_lines_are_named(void **state) {
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"x", "line 1: "},
        {"{\"id\":\"a\\u0000\"}", "line 1: "},
        {"{}", "line 1: Object item not found: id"},
        {WITH(",\"name\":\"a\""), "line 1: 1 object item(s) left unpacked: name"},
        {WITH(",\"concurrency\":-1"), "line 1: concurrency: not 0..10000"},
        {WITH(",\"concurrency\":10001"), "line 1: concurrency: not 0..10000"},
        {WITH(",\"concurrency\":\"2\""), "line 1: Expected integer, got string"},
        {WITH(",\"per_minute\":-1"), "line 1: per_minute: not 0..1000000"},
        {WITH(",\"per_minute\":1000001"), "line 1: per_minute: not 0..1000000"},
        {WITH(",\"revoked\":\"\""), "line 1: created, revoked: not a time like 2026-01-31T23:59:59Z"},
        {WITH(",\"revoked\":\"2026-01-31 23:59:59Z\""), "line 1: created, revoked: not a time"},
        {WITH("") "\n\n" WITH(""), "line 3: a line before it has this id or this sha256"},
        {WITH("") "\n" LINE("b", HASH_A, ""), "line 2: a line before it has this id or this sha256"},
        {WITH("") "\n" LINE("alice-1", HASH_B, ""), "line 2: a line before it has this id or this sha256"},
        {WITH("") WITH(""), "line 1: "},
        {LINE("", HASH_A, ""), "line 1: id: "},
        {LINE("-a", HASH_A, ""), "line 1: id: "},
        {LINE("A", HASH_A, ""), "line 1: id: "},
        {LINE("a b", HASH_A, ""), "line 1: id: "},
        {LINE("123456789012345678901234567890123456789012345678", HASH_A, ""), "line 1: id: "},
        {LINE("a", "ba78", ""), "line 1: sha256: not 64 digits of 0-9 a-f"},
        {LINE("a", HASH_A "0", ""), "line 1: sha256: not 64 digits of 0-9 a-f"},
        {LINE("a", "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", ""), "line 1: sha256: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        key_list list = {.keys = NULL};
        swin2sr_error error = {""};
        assert_int_equal(key_list_parse(rows[i].text, strlen(rows[i].text), &list, &error), SWIN2SR_INVALID);
        assert_memory_equal(error.text, rows[i].error, strlen(rows[i].error));
        assert_null(list.keys);
    }
}

/* Lines with other ids and hashes, of the given count. */
static char *lines_of(int count) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < count; i++)
        fprintf(out, "{\"id\":\"k%d\",\"sha256\":\"%064x\",\"created\":\"" TIME "\"}\n", i, (unsigned int)i);
    fclose(out);
    return text;
}

static void lines_and_keys_are_bounded(void **state) {
    key_list list;
    swin2sr_error error = {""};
    char *text = lines_of(KEYS_MAX);
    assert_int_equal(key_list_parse(text, strlen(text), &list, &error), SWIN2SR_OK);
    assert_int_equal(list.count, KEYS_MAX);
    key_list_done(&list);
    free(text);
    text = lines_of(KEYS_MAX + 1);
    assert_int_equal(key_list_parse(text, strlen(text), &list, &error), SWIN2SR_INVALID);
    assert_string_equal(error.text, "line 1001: more than 1000 keys");
    memset(text, 'x', KEYS_LINE_BYTES + 1);
    assert_int_equal(key_list_parse(text, KEYS_LINE_BYTES + 1, &list, &error), SWIN2SR_INVALID);
    assert_string_equal(error.text, "line 1: longer than 512 bytes");
    free(text);
}

static void files_are_named(void **state) {
    char path[] = "/tmp/test_keys_XXXXXX";
    key_list list;
    swin2sr_error error = {""};
    int fd = mkstemp(path);
    assert_int_equal(write(fd, WITH("") "\n[]\n", sizeof(WITH("") "\n[]\n") - 1), sizeof(WITH("") "\n[]\n") - 1);
    assert_int_equal(key_list_read(path, &list, &error), SWIN2SR_INVALID);
    assert_memory_equal(error.text, path, strlen(path));
    assert_non_null(strstr(error.text, ": line 2: "));
    assert_int_equal(ftruncate(fd, sizeof(WITH("") "\n") - 1), 0);
    assert_int_equal(key_list_read(path, &list, &error), SWIN2SR_OK);
    assert_int_equal(list.count, 1);
    key_list_done(&list);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    assert_int_equal(key_list_read(path, &list, &error), SWIN2SR_INVALID);
    close(fd);
    unlink(path);
    assert_int_equal(key_list_read(path, &list, &error), SWIN2SR_IO);
}

static void names(void **state) {
    static const char *const good[] = {"a", "9", "alice", "photo-shop_2.a", "1234567890123456789012345678901234567890"};
    static const char *const bad[] = {"",  "-a",  ".a",  "_a",
                                      "A", "a b", "a\n", "12345678901234567890123456789012345678901"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(keys_is_name(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(keys_is_name(bad[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),      cmocka_unit_test(blank_lines_are_skipped),
        cmocka_unit_test(wrong_lines_are_named), cmocka_unit_test(lines_and_keys_are_bounded),
        cmocka_unit_test(files_are_named),       cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
