/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_data.c - files appear complete or not at all, and outlive the process. */
#include "store/data.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/limits.h"

typedef struct fixture {
    char path[64];
    data_folder data;
} fixture;

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    strcpy(self->path, "/tmp/swin2sr-data-XXXXXX");
    *state = self;
    return mkdtemp(self->path) && data_open(&self->data, self->path, "n1", 0, NULL) == SWIN2SR_OK ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *self = *state;
    char command[100];
    data_close(&self->data);
    snprintf(command, sizeof command, "rm -r %s", self->path);
    int code = system(command);
    free(self);
    return code;
}

static int unnamed(const fixture *self, int flags, const char *text) {
    int fd = openat(self->data.uploads, ".", O_TMPFILE | O_RDWR | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void check_file(int folder, const char *name, const char *text) {
    char *found;
    size_t size;
    assert_int_equal(data_read(folder, name, 100, &found, &size), SWIN2SR_OK);
    assert_string_equal(found, text);
    assert_int_equal(size, strlen(text));
    free(found);
}

static void an_unnamed_file_gets_a_name_once(void **state) {
    fixture *self = *state;
    int first = unnamed(self, 0, "first"), second = unnamed(self, 0, "second");
    assert_int_equal(data_keep(first, self->data.uploads, "a.in"), SWIN2SR_OK);
    assert_int_equal(data_keep(second, self->data.uploads, "a.in"), SWIN2SR_INVALID);
    check_file(self->data.uploads, "a.in", "first");
    close(first);
    close(second);
}

/* A file opened with O_EXCL cannot get a name, like one on another file system. */
static void a_file_that_cannot_be_linked_is_copied(void **state) {
    fixture *self = *state;
    int fd = unnamed(self, O_EXCL, "bytes");
    assert_int_equal(data_keep(fd, self->data.outputs, "a.png"), SWIN2SR_OK);
    check_file(self->data.outputs, "a.png", "bytes");
    assert_int_equal(data_keep(fd, self->data.outputs, "a.png"), SWIN2SR_INVALID);
    check_file(self->data.outputs, "a.png", "bytes");
    close(fd);
}

static void records_are_replaced_whole(void **state) {
    fixture *self = *state;
    assert_int_equal(data_write(self->data.records, "a.json", "long text", 9), SWIN2SR_OK);
    assert_int_equal(data_write(self->data.records, "a.json", "short", 5), SWIN2SR_OK);
    check_file(self->data.records, "a.json", "short");
    char *text;
    size_t size;
    assert_int_equal(data_read(self->data.records, "a.json", 4, &text, &size), SWIN2SR_TOO_LARGE);
    assert_int_equal(data_remove(self->data.records, "a.json"), SWIN2SR_OK);
    assert_int_equal(data_remove(self->data.records, "a.json"), SWIN2SR_OK);
    assert_int_equal(data_read(self->data.records, "a.json", 100, &text, &size), SWIN2SR_IO);
}

static void a_name_that_is_too_long_is_an_error(void **state) {
    fixture *self = *state;
    char name[300];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(data_write(self->data.records, name, "", 0), SWIN2SR_IO);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void a_folder_has_one_server(void **state) {
    fixture *self = *state;
    data_folder other;
    swin2sr_error error;
    assert_int_equal(data_open(&other, self->path, "n2", 0, &error), SWIN2SR_BUSY);
    assert_non_null(strstr(error.text, "another server uses this data folder: node n1, process "));
    assert_false(data_is_open(&other));
}

static void what_was_left_half_is_removed(void **state) {
    fixture *self = *state;
    int fd = openat(self->data.records, ".part-a.json", O_WRONLY | O_CREAT, 0600);
    close(fd);
    assert_int_equal(data_write(self->data.records, "b.json", "b", 1), SWIN2SR_OK);
    data_close(&self->data);
    assert_int_equal(data_open(&self->data, self->path, "n1", 0, NULL), SWIN2SR_OK);
    assert_int_equal(faccessat(self->data.records, ".part-a.json", F_OK, 0), -1);
    check_file(self->data.records, "b.json", "b");
}

static size_t quarantined(const fixture *self, struct dirent ***ret_names) {
    size_t count;
    int folder = openat(self->data.lock, "quarantine", O_RDONLY | O_DIRECTORY);
    assert_int_equal(data_list(folder, ret_names, &count), SWIN2SR_OK);
    close(folder);
    return count - 2; /* without . and .. */
}

/* The oldest go first, and the folder never grows beyond its bounds. */
static void damaged_files_are_set_aside(void **state) {
    fixture *self = *state;
    struct dirent **names;
    char name[20];
    assert_false(data_quarantine(&self->data, self->data.uploads, "none.in"));
    for (int i = 0; i < LIMIT_QUARANTINE_FILES + 3; i++) {
        snprintf(name, sizeof name, "%03d.in", i);
        assert_int_equal(data_write(self->data.uploads, name, "bytes", 5), SWIN2SR_OK);
        assert_true(data_quarantine(&self->data, self->data.uploads, name));
        struct timespec tick = {.tv_nsec = 5000000}; /* file systems count in jiffies */
        nanosleep(&tick, NULL);
    }
    assert_int_equal(quarantined(self, &names), LIMIT_QUARANTINE_FILES);
    assert_string_equal(names[2]->d_name, "003.in");
    data_names_free(names, LIMIT_QUARANTINE_FILES + 2);
    assert_true(data_is_quarantined(&self->data, name));
    assert_false(data_is_quarantined(&self->data, "000.in"));
    int large = openat(self->data.uploads, "large.in", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(large, (off_t)LIMIT_QUARANTINE_BYTES - 4), 0);
    close(large);
    assert_true(data_quarantine(&self->data, self->data.uploads, "large.in"));
    assert_int_equal(quarantined(self, &names), 1);
    data_names_free(names, 3);
    assert_true(data_is_quarantined(&self->data, "large.in"));
}

static void a_place_that_cannot_be_made_is_an_error(void **state) {
    data_folder other;
    swin2sr_error error;
    assert_int_equal(data_open(&other, "/dev/null/data", "n1", 0, &error), SWIN2SR_IO);
    assert_non_null(strstr(error.text, "/dev/null/data"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unnamed_file_gets_a_name_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_linked_is_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_are_replaced_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_is_too_long_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_has_one_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_left_half_is_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_files_are_set_aside, set_up, tear_down),
        cmocka_unit_test(a_place_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
