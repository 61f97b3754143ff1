/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/test_cgroup.c - limits and kills out of both versions' files, on a made-up tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool/cgroup.h"

static char root[] = "/tmp/swin2sr-cgroup-XXXXXX";

/* Write a file of the tree, folders included. */
static void put(const char *path, const char *text) {
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_tree(void **state) {
    memcpy(root + strlen(root) - 6, "XXXXXX", 6);
    return mkdtemp(root) ? 0 : -1;
}

static int remove_tree(void **state) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void nothing_there(void **state) {
    assert_int_equal(cgroup_oom_kills(root), 0);
    assert_true(cgroup_memory_bytes(root) == UINT64_MAX);
}

static void whole_machine(void **state) {
    put("/proc/meminfo", "MemTotal:       1000 kB\nMemFree: 5 kB\n");
    put("/proc/vmstat", "nr_free_pages 1\noom_kill 3\n");
    assert_int_equal(cgroup_oom_kills(root), 3);
    assert_int_equal(cgroup_memory_bytes(root), 1024000);
}

static void version_2(void **state) {
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/proc/meminfo", "MemTotal:       1000 kB\n");
    put("/proc/vmstat", "oom_kill 3\n");
    put("/sys/fs/cgroup/a/b/memory.events", "low 0\noom 9\noom_kill 4\noom_group_kill 7\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_int_equal(cgroup_oom_kills(root), 4);
    assert_int_equal(cgroup_memory_bytes(root), 1024000);
    put("/sys/fs/cgroup/a/b/memory.max", "1000\n");
    assert_int_equal(cgroup_memory_bytes(root), 1000);
}

static void version_1_beside_an_empty_2(void **state) {
    put("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/c\n0::/\n");
    put("/sys/fs/cgroup/memory/c/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    put("/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "5000\n");
    assert_int_equal(cgroup_oom_kills(root), 2);
    assert_int_equal(cgroup_memory_bytes(root), 5000);
}

/* The name is the host's; inside, the mount point is the group. */
static void in_a_container(void **state) {
    put("/proc/self/cgroup", "0::/../not/here\n");
    put("/sys/fs/cgroup/memory.events", "oom_kill 8\n");
    put("/sys/fs/cgroup/memory.max", "7000\n");
    assert_int_equal(cgroup_oom_kills(root), 8);
    assert_int_equal(cgroup_memory_bytes(root), 7000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_there, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(whole_machine, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(version_2, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(version_1_beside_an_empty_2, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(in_a_container, make_tree, remove_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
