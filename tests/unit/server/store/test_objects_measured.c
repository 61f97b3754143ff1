/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_objects_measured.c - calls reach the store below, and are counted with their failures. */
#include "store/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

typedef struct fake {
    object_store store;
    object_result result;
    bool is_closed;
} fake;

static object_result answer(object_store *self) {
    const struct timespec wait = {0, 1000000};
    nanosleep(&wait, NULL);
    return ((fake *)self)->result;
}

static object_result create(object_store *self, const char *key, int fd, uint64_t size) {
    return answer(self);
}

static object_result write_small(object_store *self, const char *key, const void *bytes, size_t size, bool is_new) {
    return is_new ? OBJECT_EXISTS : answer(self);
}

static object_result read_small(object_store *self, const char *key, size_t max_bytes, char **ret_text,
                                size_t *ret_size) {
    *ret_size = strlen(key);
    return answer(self);
}

static object_result open_object(object_store *self, const char *key, uint64_t size, int *ret_fd) {
    *ret_fd = (int)size;
    return answer(self);
}

static object_result remove_object(object_store *self, const char *key) {
    return answer(self);
}

static object_result list(object_store *self, const char *start,
                          bool (*on_object)(void *context, const char *name, const char *tag), void *context) {
    return on_object(context, start, "") ? answer(self) : OBJECT_MISSING;
}

static void close_store(object_store *self) {
    ((fake *)self)->is_closed = true;
}

static bool on_object(void *context, const char *name, const char *tag) {
    *(const char **)context = name;
    return true;
}

static void calls_are_counted(void **state) {
    fake below = {
        .store = {create, write_small, read_small, open_object, remove_object, list, NULL, NULL, close_store}};
    object_store *self = NULL;
    size_t size = 0;
    char *text;
    int fd = 0;
    const char *seen = "";
    assert_int_equal(objects_measure(&below.store, &self, NULL), SWIN2SR_OK);
    const object_stats *stats = objects_stats(self);
    assert_true(!self->take_fault && !self->interrupt);
    assert_int_equal(self->create(self, "inputs/a", 3, 4), OBJECT_OK);
    assert_int_equal(self->write(self, "ended/a", "", 0, true), OBJECT_EXISTS);
    assert_int_equal(self->read(self, "ended/a", 9, &text, &size), OBJECT_OK);
    assert_int_equal(size, 7);
    assert_int_equal(self->open(self, "inputs/a", 77, &fd), OBJECT_OK);
    assert_int_equal(fd, 77);
    assert_int_equal(self->list(self, "open/", on_object, &seen), OBJECT_OK);
    assert_string_equal(seen, "open/");
    below.result = OBJECT_FAILED;
    assert_int_equal(self->remove(self, "inputs/a"), OBJECT_FAILED);
    assert_int_equal(self->remove(self, "inputs/a"), OBJECT_FAILED);
    for (int i = 0; i < OBJECT_OPERATION_COUNT; i++) {
        assert_int_equal(stats->counts[i], i == OBJECT_REMOVE ? 2 : 1);
        assert_int_equal(stats->failures[i], i == OBJECT_REMOVE ? 2 : 0);
        assert_true(i == OBJECT_WRITE || stats->us[i] >= 1000);
    }
    self->close(self);
    assert_true(below.is_closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls_are_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
