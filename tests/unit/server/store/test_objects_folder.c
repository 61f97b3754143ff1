/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_objects_folder.c - objects of a shared folder: created once, listed in order. */
#include "store/objects.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../new_folder.h"

static object_store *open_store(const char *path, const char *owner) {
    object_store *self = NULL;
    swin2sr_error error = {""};
    assert_int_equal(objects_open_folder(path, owner, &self, &error), SWIN2SR_OK);
    return self;
}

static void the_first_writer_wins(void **state) {
    object_store *one = open_store(*state, "a-1"), *other = open_store(*state, "b-2");
    char *text;
    size_t size;
    assert_int_equal(one->read(one, "ended/x", 100, &text, &size), OBJECT_MISSING);
    assert_int_equal(one->write(one, "ended/x", "one", 3, true), OBJECT_OK);
    assert_int_equal(other->write(other, "ended/x", "other", 5, true), OBJECT_EXISTS);
    assert_int_equal(other->read(other, "ended/x", 100, &text, &size), OBJECT_OK);
    assert_string_equal(text, "one");
    free(text);
    assert_int_equal(other->write(other, "ended/x", "other", 5, false), OBJECT_OK);
    assert_int_equal(one->read(one, "ended/x", 4, &text, &size), OBJECT_DAMAGED);
    assert_int_equal(one->remove(one, "ended/x"), OBJECT_OK);
    assert_int_equal(one->remove(one, "ended/x"), OBJECT_OK);
    assert_int_equal(other->write(other, "ended/x", "other", 5, true), OBJECT_OK);
    assert_int_equal(one->write(one, "elsewhere/x", "", 0, true), OBJECT_FAILED);
    one->close(one);
    other->close(other);
}

static void a_file_is_copied_whole(void **state) {
    static char bytes[200000], back[200000];
    object_store *self = open_store(*state, "a-1");
    int from = memfd_create("from", 0), to = -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    assert_int_equal(write(from, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(self->create(self, "inputs/x", from, sizeof bytes), OBJECT_OK);
    assert_int_equal(self->create(self, "inputs/x", from, 5), OBJECT_EXISTS);
    assert_int_equal(self->create(self, "inputs/short", from, sizeof bytes + 1), OBJECT_FAILED);
    assert_int_equal(self->open(self, "inputs/short", sizeof bytes + 1, &to), OBJECT_MISSING);
    assert_int_equal(self->open(self, "inputs/x", 5, &to), OBJECT_FAILED);
    assert_int_equal(self->open(self, "inputs/x", sizeof bytes, &to), OBJECT_OK);
    assert_int_equal(pread(to, back, sizeof back, 0), sizeof back);
    assert_memory_equal(bytes, back, sizeof back);
    close(from);
    close(to);
    self->close(self);
}

typedef struct listing {
    char names[200], tag[OBJECT_TAG_BYTES];
    int count, most;
} listing;

static bool take(void *context, const char *name, const char *tag) {
    listing *self = context;
    strcat(strcat(self->names, name), " ");
    strcpy(self->tag, tag);
    return ++self->count < self->most;
}

static void lists_are_ordered_and_begin_with_a_prefix(void **state) {
    object_store *self = open_store(*state, "a-1");
    static const char *const keys[] = {"open/b.json", "open/a.json", "open/a.1.claim", "open/c.json"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(self->write(self, keys[i], "x", 1, true), OBJECT_OK);
    listing all = {.most = 100}, some = {.most = 100}, first = {.most = 1}, again = {.most = 100};
    assert_int_equal(self->list(self, "open/", take, &all), OBJECT_OK);
    assert_string_equal(all.names, "a.1.claim a.json b.json c.json ");
    assert_int_equal(self->list(self, "open/a.", take, &some), OBJECT_OK);
    assert_string_equal(some.names, "a.1.claim a.json ");
    assert_int_equal(self->list(self, "open/", take, &first), OBJECT_OK);
    assert_string_equal(first.names, "a.1.claim ");
    assert_int_equal(self->write(self, "open/c.json", "y", 1, false), OBJECT_OK);
    assert_int_equal(self->list(self, "open/c", take, &again), OBJECT_OK);
    assert_string_not_equal(again.tag, all.tag);
    self->close(self);
}

typedef struct racer {
    object_store *store;
    pthread_barrier_t *start;
    int wins;
} racer;

static void *race(void *context) {
    racer *self = context;
    pthread_barrier_wait(self->start);
    for (int i = 0; i < 50; i++) {
        char key[40];
        snprintf(key, sizeof key, "keys/%d", i);
        self->wins += self->store->write(self->store, key, "x", 1, true) == OBJECT_OK;
    }
    return NULL;
}

static void one_of_many_wins(void **state) {
    racer racers[4];
    pthread_t threads[4];
    pthread_barrier_t start;
    int wins = 0;
    pthread_barrier_init(&start, NULL, 4);
    for (int i = 0; i < 4; i++) {
        char owner[8];
        snprintf(owner, sizeof owner, "n-%d", i);
        racers[i] = (racer){.store = open_store(*state, owner), .start = &start};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        wins += racers[i].wins;
        racers[i].store->close(racers[i].store);
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(wins, 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_writer_wins, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_file_is_copied_whole, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(lists_are_ordered_and_begin_with_a_prefix, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(one_of_many_wins, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
