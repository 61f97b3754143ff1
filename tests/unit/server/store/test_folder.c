/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_folder.c - the budget counts uploads and results until they are removed. */
#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cgroup.h"
#include "config/limits.h"

static void note_status(void *context, swin2sr_status status) {
    *(swin2sr_status *)context = status;
}

static void uploads_are_bounded(void **state) {
    store self;
    store_file one = {.owner = NULL}, other = {.owner = NULL};
    assert_int_equal(store_use_folder(&self, "/tmp", 0), SWIN2SR_OK);
    self.budget_bytes = 10;
    assert_int_equal(store_create(&self, &one), SWIN2SR_OK);
    assert_int_equal(store_create(&self, &other), SWIN2SR_OK);
    assert_int_equal(store_append(&one, "12345678", 8), SWIN2SR_OK);
    assert_int_equal(store_append(&other, "123", 3), SWIN2SR_BUSY);
    assert_int_equal(store_append(&other, "12", 2), SWIN2SR_OK);
    assert_int_equal(self.used_bytes, 10);
    store_remove(&one);
    assert_int_equal(self.used_bytes, 2);
    assert_int_equal(store_append(&other, "12345678", 8), SWIN2SR_OK);
    store_remove(&other);
    assert_int_equal(self.used_bytes, 0);
}

/* Half of the budget for one client, as long as it has files. */
static void a_client_cannot_hold_all_of_it(void **state) {
    store self;
    store_file one = {.owner = NULL}, two = {.owner = NULL}, other = {.owner = NULL};
    assert_int_equal(store_use_folder(&self, "/tmp", 0), SWIN2SR_OK);
    self.budget_bytes = 10;
    assert_int_equal(store_create(&self, &one), SWIN2SR_OK);
    assert_int_equal(store_create(&self, &two), SWIN2SR_OK);
    assert_int_equal(store_create(&self, &other), SWIN2SR_OK);
    assert_true(store_share_join(&one, "192.0.2.1"));
    assert_true(store_share_join(&two, "192.0.2.1"));
    assert_true(store_share_join(&other, "192.0.2.2"));
    assert_int_equal(store_append(&one, "123", 3), SWIN2SR_OK);
    assert_int_equal(store_append(&two, "123", 3), SWIN2SR_TOO_LARGE);
    assert_int_equal(store_append(&two, "12", 2), SWIN2SR_OK);
    assert_int_equal(store_append(&other, "12345", 5), SWIN2SR_OK);
    assert_int_equal(self.used_bytes, 10);
    store_remove(&one);
    assert_int_equal(store_append(&two, "123", 3), SWIN2SR_OK);
    store_remove(&other);
    assert_non_null(self.shares);
    store_remove(&two);
    assert_null(self.shares);
    assert_int_equal(self.used_bytes, 0);
}

/* A worker writes through its own descriptor. Its result may exceed the budget; then no upload is accepted. */
static void results_count_from_their_commit_on(void **state) {
    store self;
    store_file result = {.owner = NULL}, upload = {.owner = NULL};
    swin2sr_status status = SWIN2SR_INTERNAL;
    assert_int_equal(store_use_folder(&self, "/tmp", 0), SWIN2SR_OK);
    self.budget_bytes = 10;
    assert_int_equal(store_create(&self, &result), SWIN2SR_OK);
    int fd = store_open(&result, O_WRONLY);
    assert_int_equal(write(fd, "123456789012", 12), 12);
    close(fd);
    store_commit(&result, note_status, &status);
    assert_int_equal(status, SWIN2SR_OK);
    assert_int_equal(result.bytes, 12);
    assert_int_equal(self.used_bytes, 12);
    assert_int_equal(store_create(&self, &upload), SWIN2SR_OK);
    assert_int_equal(store_append(&upload, "1", 1), SWIN2SR_BUSY);
    store_remove(&result);
    assert_int_equal(store_append(&upload, "1", 1), SWIN2SR_OK);
    store_remove(&upload);
    assert_int_equal(self.used_bytes, 0);
}

static void memory_is_shared_with_the_workers(void **state) {
    store self;
    uint64_t quarter = swin2sr__cgroup_memory_bytes("") / 4;
    if (store_use_folder(&self, "/dev/shm", 0) != SWIN2SR_OK)
        skip();
    assert_int_equal(self.budget_bytes, quarter < LIMIT_SPOOL_BYTES ? quarter : LIMIT_SPOOL_BYTES);
}

static void a_folder_that_is_gone_does_not_work(void **state) {
    char folder[] = "/tmp/swin2sr-store-XXXXXX";
    store self;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(store_use_folder(&self, folder, 0), SWIN2SR_OK);
    assert_true(store_is_working(&self));
    assert_int_equal(rmdir(folder), 0);
    assert_false(store_is_working(&self));
    assert_int_equal(store_use_folder(&self, folder, 0), SWIN2SR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uploads_are_bounded),
        cmocka_unit_test(a_client_cannot_hold_all_of_it),
        cmocka_unit_test(results_count_from_their_commit_on),
        cmocka_unit_test(memory_is_shared_with_the_workers),
        cmocka_unit_test(a_folder_that_is_gone_does_not_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
