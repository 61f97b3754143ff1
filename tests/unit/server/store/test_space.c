/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_space.c - the reserve of a disk, and of one that cannot be asked. */
#include "store/space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config/limits.h"

static void a_reserve_is_left_free(void **state) {
    disk_space self;
    disk_space_init(&self, "/tmp", 0);
    uint64_t free_bytes = disk_space_free(&self);
    if (free_bytes == UINT64_MAX)
        skip();
    assert_true(free_bytes <= disk_space_size(&self));
    assert_true(disk_space_has(&self, 0));
    assert_false(disk_space_has(&self, disk_space_size(&self) + 1));
    self.reserve_bytes = disk_space_size(&self) + 1;
    assert_false(disk_space_has(&self, 0));
}

static void a_small_disk_remains_usable(void **state) {
    disk_space self;
    disk_space_init(&self, "/tmp", 5);
    assert_int_equal(self.reserve_bytes, 5);
    disk_space_init(&self, "/tmp", UINT64_MAX);
    assert_int_equal(self.reserve_bytes, disk_space_size(&self) / LIMIT_RESERVE_SHARE);
}

/* A folder that is gone is the spool's fault and not that of its disk. */
static void an_unknown_disk_has_no_limit(void **state) {
    disk_space self;
    disk_space_init(&self, "/nonexistent/folder", 5);
    assert_true(disk_space_free(&self) == UINT64_MAX);
    assert_true(disk_space_has(&self, UINT64_MAX));
    disk_space none = {.folder = NULL};
    assert_true(disk_space_has(&none, UINT64_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reserve_is_left_free),
        cmocka_unit_test(a_small_disk_remains_usable),
        cmocka_unit_test(an_unknown_disk_has_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
