/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/backlog/test_shared.c - what is left in a shared store. Of a new job whose record could not be stored:
 * nothing, unless the request has an Idempotency-Key, with which another server may have accepted the job meanwhile. Of
 * a job that several servers have worked on: the result of the one that has ended it. */
#include "backlog/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../new_folder.h"

#define ID "a-01m8gj31jbpcw1nm4fj5ektd0q"
#define OTHER_ID "b-01m8gj31jbpcw1nm4fj5ektd0q"

/* A server with a request, and its store: a folder, in which records are stored but seem not to be. */
typedef struct node {
    object_store store; /* the first field */
    object_store *folder;
    cluster cluster;
    backlog backlog;
    kept_job kept;
    kept_job *faster; /* this server is asked while the record is written; NULL: nobody is */
} node;

static object_result create(object_store *self, const char *key, int fd, uint64_t size) {
    object_store *folder = ((node *)self)->folder;
    return folder->create(folder, key, fd, size);
}

static object_result write_lost(object_store *self, const char *key, const void *bytes, size_t size, bool is_new) {
    node *owner = (node *)self;
    bool is_record = strncmp(key, OBJECT_OPEN, strlen(OBJECT_OPEN)) == 0;
    if (is_record && owner->faster)
        kept_shared_write(owner->faster);
    object_result result = owner->folder->write(owner->folder, key, bytes, size, is_new);
    return is_record ? OBJECT_FAILED : result;
}

static object_result read_whole(object_store *self, const char *key, size_t max_bytes, char **ret_text,
                                size_t *ret_size) {
    object_store *folder = ((node *)self)->folder;
    return folder->read(folder, key, max_bytes, ret_text, ret_size);
}

static object_result remove_object(object_store *self, const char *key) {
    object_store *folder = ((node *)self)->folder;
    return folder->remove(folder, key);
}

static object_result list(object_store *self, const char *start,
                          bool (*on_object)(void *context, const char *name, const char *tag), void *context) {
    object_store *folder = ((node *)self)->folder;
    return folder->list(folder, start, on_object, context);
}

static node *open_node(const char *path, const char *id, const char *key, bool is_losing) {
    node *self = calloc(1, sizeof *self);
    swin2sr_error error;
    assert_int_equal(objects_open_folder(path, id, &self->folder, &error), SWIN2SR_OK);
    self->store = (object_store){
        .create = create, .write = write_lost, .read = read_whole, .remove = remove_object, .list = list};
    self->cluster.store = is_losing ? &self->store : self->folder;
    self->backlog.cluster = &self->cluster;
    self->kept.owner = &self->backlog;
    self->kept.write = KEPT_WRITE_NEW;
    self->kept.input.fd = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(self->kept.input.fd, "image", 5), 5);
    job_record *record = &self->kept.record;
    *record = (job_record){.version = RECORD_VERSION,
                           .status = RECORD_QUEUED,
                           .body_sha256 = "03ed4ecef051d5cf5f095c04f67412284d35a2a477abc457746548637e15de37",
                           .spec = {.version = JOB_SPEC_VERSION,
                                    .model = "fast",
                                    .format = FORMAT_PNG,
                                    .quality = 95,
                                    .in_bytes = 5,
                                    .in_pixels_max = 1,
                                    .out_pixels_max = 1}};
    strcpy(record->id, id);
    strcpy(record->idempotency_key, key);
    self->kept.pending = *record;
    return self;
}

static void close_node(node *self) {
    close(self->kept.input.fd);
    self->folder->close(self->folder);
    free(self);
}

static bool count(void *context, const char *name, const char *tag) {
    ++*(int *)context;
    return true;
}

static int count_objects(node *self, const char *folder) {
    int found = 0;
    assert_int_equal(self->folder->list(self->folder, folder, count, &found), OBJECT_OK);
    return found;
}

static void nothing_is_left_of_a_job_that_is_refused(void **state) {
    node *self = open_node(*state, ID, "", true);
    kept_shared_write(&self->kept);
    assert_int_equal(self->kept.status, SWIN2SR_IO);
    assert_int_equal(count_objects(self, OBJECT_OPEN), 0);
    assert_int_equal(count_objects(self, OBJECT_INPUTS), 0);
    close_node(self);
}

static void what_another_server_has_accepted_stays(void **state) {
    node *self = open_node(*state, ID, "order 17", true), *other = open_node(*state, OTHER_ID, "order 17", false);
    self->faster = &other->kept;
    kept_shared_write(&self->kept);
    assert_int_equal(self->kept.status, SWIN2SR_IO);
    assert_int_equal(other->kept.status, SWIN2SR_OK);
    assert_string_equal(other->kept.pending.id, ID); /* one job for both requests */
    assert_int_equal(count_objects(self, OBJECT_OPEN), 1);
    assert_int_equal(count_objects(self, OBJECT_INPUTS), 1);
    close_node(other);
    close_node(self);
}

static void put_result(node *self, const char *attempt) {
    char key[OBJECT_KEY_BYTES];
    snprintf(key, sizeof key, OBJECT_RESULTS "1970-01-01-" ID ".%s", attempt);
    assert_int_equal(self->folder->write(self->folder, key, "other", 5, true), OBJECT_OK);
}

static bool is_result(node *self, const char *attempt) {
    char key[OBJECT_KEY_BYTES], *text = NULL;
    size_t size;
    snprintf(key, sizeof key, OBJECT_RESULTS "1970-01-01-" ID ".%s", attempt);
    object_result result = self->folder->read(self->folder, key, 100, &text, &size);
    free(text);
    return result == OBJECT_OK;
}

/* Two servers were killed after they had stored their results, with previews or without. */
static void results_of_killed_servers_are_removed(void **state) {
    node *self = open_node(*state, ID, "", false);
    kept_shared_write(&self->kept);
    assert_int_equal(self->kept.status, SWIN2SR_OK);
    put_result(self, "1.png");
    put_result(self, "1.png.preview.jpg");
    put_result(self, "2.png");
    job_record *record = &self->kept.pending;
    record->status = RECORD_SUCCEEDED;
    record->attempts = 3;
    record->done.out_bytes = 5;
    strcpy(record->result_name, "1970-01-01-" ID ".3.png");
    self->kept.job.result.fd = self->kept.input.fd;
    self->kept.write = KEPT_WRITE_END;
    kept_shared_write(&self->kept);
    assert_int_equal(self->kept.status, SWIN2SR_OK);
    assert_true(is_result(self, "3.png"));
    assert_int_equal(count_objects(self, OBJECT_RESULTS), 1);
    put_result(self, "4.png"); /* of a server that went on, and was killed before it found the end */
    self->kept.record = *record;
    self->kept.write = KEPT_WRITE_NOTHING;
    kept_shared_write(&self->kept);
    assert_int_equal(self->kept.status, SWIN2SR_OK);
    assert_int_equal(count_objects(self, OBJECT_RESULTS), 0);
    close_node(self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_left_of_a_job_that_is_refused, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(what_another_server_has_accepted_stays, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(results_of_killed_servers_are_removed, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
