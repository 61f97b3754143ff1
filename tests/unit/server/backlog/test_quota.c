/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/backlog/test_quota.c - jobs and bytes are counted as jobs come, end and go, and limited in all and
 * for each API key. */
#include "backlog/backlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    server_config config;
    data_folder data; /* not open: its disk has no limit */
    backlog backlog;
} fixture;

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    self->config.jobs_max = 4;
    self->config.key_jobs_max = 2;
    self->backlog.config = &self->config;
    self->backlog.data = &self->data;
    self->backlog.bytes_max = 1000;
    *state = self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;
    assert_null(self->backlog.shares);
    assert_int_equal(self->backlog.sums.kept, 0);
    assert_int_equal(self->backlog.sums.unfinished, 0);
    assert_int_equal(self->backlog.sums.bytes, 0);
    free(self);
    return 0;
}

static kept_job *add(fixture *self, const char *owner, uint64_t in_bytes) {
    kept_job *kept = calloc(1, sizeof *kept);
    kept->record.spec.in_bytes = in_bytes;
    strcpy(kept->record.spec.owner, owner);
    backlog_link(&self->backlog, kept);
    return kept;
}

static void finish(kept_job *kept, record_status status, uint64_t out_bytes) {
    kept_count(kept, -1);
    kept->record.status = status;
    kept->record.done.out_bytes = out_bytes;
    kept->record.done.preview_bytes = 1;
    kept_count(kept, 1);
}

static void take_away(kept_job *kept) {
    backlog_unlink(kept);
    free(kept);
}

static void assert_excess(const fixture *self, const char *owner, uint64_t in_bytes, backlog_limit kind, uint64_t limit,
                          uint64_t actual) {
    backlog_excess excess;
    assert_false(backlog_has_room(&self->backlog, owner, in_bytes, &excess));
    assert_int_equal(excess.kind, kind);
    assert_int_equal(excess.limit, limit);
    assert_int_equal(excess.actual, actual);
}

static bool has_room(const fixture *self, const char *owner, uint64_t in_bytes) {
    backlog_excess excess;
    return backlog_has_room(&self->backlog, owner, in_bytes, &excess);
}

static void one_key_cannot_take_all_jobs(void **state) {
    fixture *self = *state;
    kept_job *first = add(self, "k1", 1), *second = add(self, "k1", 1);
    assert_excess(self, "k1", 1, BACKLOG_JOBS_OF_KEY, 2, 2);
    kept_job *third = add(self, "k2", 1), *fourth = add(self, "k2", 1);
    assert_excess(self, "k3", 1, BACKLOG_JOBS, 4, 4);
    finish(first, RECORD_FAILED, 0);
    assert_true(has_room(self, "k1", 1));
    assert_excess(self, "k2", 1, BACKLOG_JOBS_OF_KEY, 2, 2);
    take_away(first);
    take_away(second);
    take_away(third);
    take_away(fourth);
}

static void one_key_cannot_take_all_bytes(void **state) {
    fixture *self = *state;
    kept_job *first = add(self, "k1", 100);
    assert_excess(self, "k1", 401, BACKLOG_BYTES_OF_KEY, 500, 501);
    assert_true(has_room(self, "k1", 400));
    finish(first, RECORD_SUCCEEDED, 499); /* a result may go beyond the quota */
    assert_int_equal(self->backlog.sums.bytes, 600);
    assert_excess(self, "k1", 1, BACKLOG_BYTES_OF_KEY, 500, 601);
    assert_excess(self, "k2", 401, BACKLOG_BYTES, 1000, 1001);
    assert_true(has_room(self, "k2", 400));
    kept_count(first, -1);
    first->record.is_expired = true;
    kept_count(first, 1);
    assert_int_equal(self->backlog.sums.bytes, 0);
    assert_int_equal(self->backlog.sums.kept, 1);
    take_away(first);
}

/* Without keys, all jobs have the owner "". */
static void without_keys_only_the_sums_count(void **state) {
    fixture *self = *state;
    kept_job *jobs[4];
    for (int i = 0; i < 4; i++) {
        assert_true(has_room(self, "", 250));
        jobs[i] = add(self, "", 150);
    }
    assert_excess(self, "", 1, BACKLOG_JOBS, 4, 4);
    for (int i = 0; i < 4; i++)
        take_away(jobs[i]);
}

static void a_full_disk_takes_no_job(void **state) {
    fixture *self = *state;
    disk_space_init(&self->data.disk, "/tmp", 0);
    self->data.disk.reserve_bytes = UINT64_MAX;
    if (disk_space_free(&self->data.disk) == UINT64_MAX)
        skip();
    assert_excess(self, "", 1, BACKLOG_DISK, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_key_cannot_take_all_jobs),
        TEST(one_key_cannot_take_all_bytes),
        TEST(without_keys_only_the_sums_count),
        TEST(a_full_disk_takes_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
