/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/model/test_source.c - a weight file that changes while it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/source.h"

#define FILE_BYTES 100000

static char path[] = "/tmp/swin2sr-source-XXXXXX";
static off_t cut_to = -1; /* what the first pread of a test leaves of the file; -1: all */
static size_t most = SIZE_MAX;

/* In the place of the C library's: as if another process cut the file short just before. */
ssize_t pread(int fd, void *data, size_t bytes, off_t at) {
    if (cut_to >= 0 && truncate(path, cut_to) != 0)
        return -1;
    lseek(fd, at, SEEK_SET);
    return read(fd, data, bytes < most ? bytes : most);
}

static int make_file(void **state) {
    unsigned char bytes[FILE_BYTES];
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    int fd = mkstemp(path);
    for (int i = 0; i < FILE_BYTES; i++)
        bytes[i] = (unsigned char)(i * 7);
    ssize_t written = write(fd, bytes, sizeof bytes);
    close(fd);
    cut_to = -1;
    most = SIZE_MAX;
    return written == FILE_BYTES ? 0 : -1;
}

static int remove_file(void **state) {
    return unlink(path);
}

static void whole_file(void **state) {
    swin2sr__source source;
    most = 977; /* short reads go on */
    assert_int_equal(swin2sr__source_open(path, &source, NULL), SWIN2SR_OK);
    assert_int_equal(source.size, FILE_BYTES);
    for (int i = 0; i < FILE_BYTES; i++)
        assert_int_equal(((unsigned char *)source.data)[i], (unsigned char)(i * 7));
    swin2sr__source_close(&source);
}

static void file_cut_short_meanwhile(void **state) {
    static const off_t ends[] = {0, 1, 4096, FILE_BYTES - 1};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        swin2sr__source source;
        swin2sr_error error = {""};
        cut_to = -1;
        assert_int_equal(truncate(path, FILE_BYTES), 0);
        cut_to = ends[i];
        assert_int_equal(swin2sr__source_open(path, &source, &error), SWIN2SR_IO);
        assert_non_null(strstr(error.text, "was cut short while it was read"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_file, make_file, remove_file),
        cmocka_unit_test_setup_teardown(file_cut_short_meanwhile, make_file, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
