/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/backlog/test_ends.c - what the shared store has of a job, also where records and claims are
 * damaged, and which of several ends counts. */
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

#define ID "n1-01m8gj31jbpcw1nm4fj5ektd0q"

typedef struct fixture {
    char path[40];
    object_store *store;
    job_record record;
} fixture;

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    swin2sr_error error = {""};
    strcpy(self->path, "/tmp/swin2sr-shared-XXXXXX");
    if (!mkdtemp(self->path) || objects_open_folder(self->path, "n1-1", &self->store, &error) != SWIN2SR_OK)
        return -1;
    self->record = (job_record){.version = RECORD_VERSION,
                                .id = ID,
                                .token = "50182f2dddb936b840e0e1b22c877baf",
                                .spec = {.version = JOB_SPEC_VERSION,
                                         .owner = "k1",
                                         .request_id = "r",
                                         .model = "clean",
                                         .format = FORMAT_PNG,
                                         .quality = 95,
                                         .in_bytes = 9,
                                         .in_pixels_max = 9,
                                         .out_pixels_max = 9}};
    *state = self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;
    char command[80];
    self->store->close(self->store);
    snprintf(command, sizeof command, "rm -rf '%s'", self->path);
    int code = system(command);
    free(self);
    return code;
}

/* damaged: one of its bytes is changed. */
static void put_record(fixture *self, const char *key, bool is_damaged) {
    char *text = record_to_text(&self->record);
    if (is_damaged)
        strstr(text, "\"quality\":95")[10] = '7';
    assert_int_equal(self->store->write(self->store, key, text, strlen(text), false), OBJECT_OK);
    free(text);
}

static void put(fixture *self, const char *key, const char *text) {
    assert_int_equal(self->store->write(self->store, key, text, strlen(text), false), OBJECT_OK);
}

static shared_view view_of(fixture *self) {
    shared_view view;
    shared_look(self->store, ID, &view);
    return view;
}

static void states_of_a_job(void **state) {
    fixture *self = *state;
    assert_int_equal(view_of(self).found, SHARED_NONE);
    put_record(self, OBJECT_OPEN ID ".json", false);
    shared_view view = view_of(self);
    assert_int_equal(view.found, SHARED_OPEN);
    assert_false(view.is_damaged);
    assert_string_equal(view.claimant, "");
    put(self, OBJECT_OPEN ID ".1.claim", "a-1 5\n");
    put(self, OBJECT_OPEN ID ".2.claim", "b-2 7\n");
    view = view_of(self);
    assert_int_equal(view.record.attempts, 2);
    assert_string_equal(view.claimant, "b-2");
    self->record.status = RECORD_CANCELED;
    put_record(self, OBJECT_ENDED ID ".json", false);
    view = view_of(self);
    assert_int_equal(view.found, SHARED_ENDED);
    assert_int_equal(view.record.status, RECORD_CANCELED);
}

static void a_damaged_open_record(void **state) {
    fixture *self = *state;
    put_record(self, OBJECT_OPEN ID ".json", true);
    put(self, OBJECT_OPEN ID ".1.claim", "a-1 5\n");
    shared_view view = view_of(self);
    assert_int_equal(view.found, SHARED_OPEN);
    assert_true(view.is_damaged);
    assert_string_equal(view.record.id, ID);
    assert_string_equal(view.record.spec.owner, "k1");
    assert_int_equal(view.record.attempts, 1);
    assert_string_equal(view.claimant, "a-1");
    put(self, OBJECT_OPEN ID ".json", "");
    view = view_of(self);
    assert_true(view.found == SHARED_OPEN && view.is_damaged);
}

/* The record of one job under the name of another. */
static void a_record_of_another_job(void **state) {
    fixture *self = *state;
    strcpy(self->record.id, "n1-01m8gj31jbpcw1nm4fj5ektd0z");
    put_record(self, OBJECT_OPEN ID ".json", false);
    shared_view view = view_of(self);
    assert_true(view.found == SHARED_OPEN && view.is_damaged);
    assert_string_equal(view.record.id, ID);
}

/* What a later version wrote is left to it. */
static void a_record_of_a_later_version(void **state) {
    fixture *self = *state;
    self->record.version = RECORD_VERSION + 1;
    put_record(self, OBJECT_OPEN ID ".json", false);
    assert_int_equal(view_of(self).found, SHARED_UNKNOWN);
}

static void a_damaged_claim(void **state) {
    fixture *self = *state;
    put_record(self, OBJECT_OPEN ID ".json", false);
    put(self, OBJECT_OPEN ID ".1.claim", "?");
    shared_view view = view_of(self);
    assert_int_equal(view.found, SHARED_OPEN);
    assert_int_equal(view.record.attempts, 1);
    assert_string_equal(view.claimant, "?"); /* which shows no signs of life */
}

static void a_damaged_end(void **state) {
    fixture *self = *state;
    self->record.status = RECORD_CANCELED;
    self->record.finished_ms = 77;
    put_record(self, OBJECT_OPEN ID ".json", false);
    put_record(self, OBJECT_ENDED ID ".json", true);
    shared_view view = view_of(self);
    assert_int_equal(view.found, SHARED_ENDED);
    assert_int_equal(view.record.status, RECORD_FAILED);
    assert_int_equal(view.record.finished_ms, 77);
    assert_true(view.record.expires_ms > backlog_now_ms());
    assert_non_null(strstr(view.record.detail, "damaged"));
}

/* ---- two processes that end one job ---- */

typedef struct node {
    cluster cluster;
    backlog backlog;
    kept_job kept;
} node;

/* A process that has the result of attempt N, of these bytes. */
static node *make_node(fixture *self, const char *name, uint32_t attempt, const char *bytes) {
    node *made = calloc(1, sizeof *made);
    job_record *record = &made->kept.record;
    strcpy(made->cluster.name, name);
    made->cluster.store = self->store;
    made->backlog.cluster = &made->cluster;
    made->kept.owner = &made->backlog;
    made->kept.write = KEPT_WRITE_END;
    *record = self->record;
    record->attempts = attempt;
    strcpy(record->webhook, "https://hooks.example/");
    made->kept.pending = *record;
    made->kept.pending.status = RECORD_SUCCEEDED;
    made->kept.pending.done.out_bytes = strlen(bytes);
    snprintf(made->kept.pending.result_name, LIMIT_RESULT_NAME_BYTES, "2026-11-28-" ID ".%u.png", attempt);
    made->kept.job.result.fd = memfd_create("result", 0);
    assert_int_equal(write(made->kept.job.result.fd, bytes, strlen(bytes)), strlen(bytes));
    return made;
}

static void free_node(node *self) {
    close(self->kept.job.result.fd);
    free(self);
}

static char *read_text(fixture *self, const char *key) {
    char *text = NULL;
    size_t size;
    (void)self->store->read(self->store, key, RECORD_MAX_BYTES, &text, &size);
    return text;
}

/* A process comes back after its lease, and another one has ended the job. */
static void a_zombie_cannot_overwrite(void **state) {
    fixture *self = *state;
    node *zombie = make_node(self, "a-1", 1, "of the zombie"), *other = make_node(self, "b-2", 2, "of the other");
    put_record(self, OBJECT_OPEN ID ".json", false);
    put(self, OBJECT_OPEN ID ".1.claim", "a-1 5\n");
    put(self, OBJECT_OPEN ID ".2.claim", "b-2 7\n");
    kept_shared_write(&other->kept);
    assert_int_equal(other->kept.status, SWIN2SR_OK);
    char *ended = read_text(self, OBJECT_ENDED ID ".json");
    kept_shared_write(&zombie->kept);
    assert_int_equal(zombie->kept.status, SWIN2SR_INVALID);
    assert_string_equal(zombie->kept.pending.result_name, "2026-11-28-" ID ".2.png");
    char *after = read_text(self, OBJECT_ENDED ID ".json");
    assert_string_equal(after, ended);
    char *result = read_text(self, OBJECT_RESULTS "2026-11-28-" ID ".2.png");
    assert_string_equal(result, "of the other");
    assert_null(read_text(self, OBJECT_RESULTS "2026-11-28-" ID ".1.png"));
    char *debt = read_text(self, OBJECT_WEBHOOKS ID ".b-2");
    assert_string_equal(debt, "b-2");
    assert_null(read_text(self, OBJECT_WEBHOOKS ID ".a-1"));
    kept_shared_write(&other->kept); /* a second try of the same end, whose answer was lost */
    assert_int_equal(other->kept.status, SWIN2SR_OK);
    free(ended);
    free(after);
    free(result);
    free(debt);
    free_node(zombie);
    free_node(other);
}

/* The job has ended and was removed meanwhile: it does not come back. */
static void a_zombie_of_a_job_that_is_gone(void **state) {
    fixture *self = *state;
    node *zombie = make_node(self, "a-1", 1, "of the zombie");
    kept_shared_write(&zombie->kept);
    assert_int_equal(zombie->kept.status, SWIN2SR_CANCELLED);
    assert_null(read_text(self, OBJECT_ENDED ID ".json"));
    assert_null(read_text(self, OBJECT_RESULTS "2026-11-28-" ID ".1.png"));
    assert_null(read_text(self, OBJECT_WEBHOOKS ID ".a-1"));
    free_node(zombie);
}

/* The end that the other has written is damaged: it counts, as a failure. */
static void an_end_that_is_damaged(void **state) {
    fixture *self = *state;
    node *late = make_node(self, "a-1", 1, "of the late one");
    put_record(self, OBJECT_ENDED ID ".json", true);
    kept_shared_write(&late->kept);
    assert_int_equal(late->kept.status, SWIN2SR_INVALID);
    assert_int_equal(late->kept.pending.status, RECORD_FAILED);
    free_node(late);
}

static void debts_are_removed(void **state) {
    fixture *self = *state;
    char *text;
    size_t size;
    put(self, OBJECT_WEBHOOKS ID ".a-1", "a-1");
    put(self, OBJECT_WEBHOOKS ID ".b-2", "b-2");
    put(self, OBJECT_WEBHOOKS "n1-01m8gj31jbpcw1nm4fj5ektd0z.a-1", "a-1");
    shared_forgive(self->store, ID);
    assert_int_equal(self->store->read(self->store, OBJECT_WEBHOOKS ID ".a-1", 9, &text, &size), OBJECT_MISSING);
    assert_int_equal(self->store->read(self->store, OBJECT_WEBHOOKS ID ".b-2", 9, &text, &size), OBJECT_MISSING);
    assert_int_equal(
        self->store->read(self->store, OBJECT_WEBHOOKS "n1-01m8gj31jbpcw1nm4fj5ektd0z.a-1", 9, &text, &size),
        OBJECT_OK);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(states_of_a_job, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_open_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_of_another_job, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_of_a_later_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_claim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zombie_cannot_overwrite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zombie_of_a_job_that_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_that_is_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(debts_are_removed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
