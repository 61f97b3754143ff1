/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/test_zip.c - a ZIP field by field, entries that are dropped, a file that would be too long, a full
 * disk. tests/server/test_several_files.py opens such files with other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "zip.h"

static int new_file(void) {
    char path[] = "/tmp/swin2sr-zip-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static uint32_t number(const uint8_t *at, int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << 8 * i;
    return value;
}

static void add(zip_file *zip, const char *name, const char *text) {
    assert_true(zip_begin(zip, name));
    for (; *text; text++)
        assert_true(zip_write(zip, text, 1));
    assert_true(zip_end(zip));
}

static void fields(void **state) {
    uint8_t bytes[512];
    zip_file zip;
    int fd = new_file();
    assert_int_equal(zip_open(&zip, fd, 2), SWIN2SR_OK);
    add(&zip, "\xe7\x8c\xab.png", "123456789");
    assert_true(zip_begin(&zip, "dropped"));
    assert_true(zip_write(&zip, "bytes that do not count, and more of them than come next", 56));
    zip_drop(&zip);
    add(&zip, "b", "");
    assert_true(zip_finish(&zip));
    assert_int_equal(zip.bytes, 30 + 7 + 9 + 30 + 1 + 46 + 7 + 46 + 1 + 22);
    assert_true(pread(fd, bytes, sizeof bytes, 0) >= (ssize_t)zip.bytes);

    const uint8_t *local = bytes, *second = bytes + 30 + 7 + 9, *central = second + 31, *end = central + 53 + 47;
    assert_memory_equal(local, "PK\3\4", 4);
    assert_int_equal(number(local + 6, 2), 0x800);        /* the name is UTF-8, and the sizes are here */
    assert_int_equal(number(local + 14, 4), 0xcbf43926u); /* the check value of CRC-32 */
    assert_int_equal(number(local + 18, 4), 9);
    assert_int_equal(number(local + 22, 4), 9);
    assert_int_equal(number(local + 26, 2), 7);
    assert_memory_equal(local + 30, "\xe7\x8c\xab.png123456789", 16);
    assert_memory_equal(second, "PK\3\4", 4);
    assert_memory_equal(central, "PK\1\2", 4);
    assert_memory_equal(central + 6, local + 4, 26); /* they agree */
    assert_int_equal(number(central + 42, 4), 0);
    assert_int_equal(number(central + 53 + 42, 4), (uint32_t)(second - bytes));
    assert_memory_equal(end, "PK\5\6", 4);
    assert_int_equal(number(end + 10, 2), 2);
    assert_int_equal(number(end + 12, 4), 53 + 47);
    assert_int_equal(number(end + 16, 4), (uint32_t)(central - bytes));
    assert_false(zip_begin(&zip, "one too many"));
    assert_true(zip.is_long);
    zip_done(&zip);
    close(fd);
}

static void four_gibibytes(void **state) {
    zip_file zip;
    int fd = new_file();
    assert_int_equal(zip_open(&zip, fd, 2), SWIN2SR_OK);
    zip.bytes = 0xffffffffu - 40; /* the file is sparse */
    assert_true(zip_begin(&zip, "a"));
    assert_false(zip_write(&zip, "0123456789", 10));
    assert_true(zip.is_long);
    assert_false(zip_finish(&zip));
    zip_done(&zip);
    close(fd);
}

static void a_full_disk(void **state) {
    zip_file zip;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(zip_open(&zip, fileno(full), 2), SWIN2SR_OK);
    assert_false(zip_begin(&zip, "a"));
    assert_true(zip.is_full);
    zip_done(&zip);
    fclose(full);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(four_gibibytes),
        cmocka_unit_test(a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
