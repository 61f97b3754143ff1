/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_cgroup.c - limits and kills out of both versions' files, on a made-up tree. */
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

#include "base/cgroup.h"

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
    assert_int_equal(swin2sr__cgroup_oom_kills(root), 0);
    assert_true(swin2sr__cgroup_memory_bytes(root) == UINT64_MAX);
}

static void whole_machine(void **state) {
    put("/proc/meminfo", "MemTotal:       1000 kB\nMemFree: 5 kB\n");
    put("/proc/vmstat", "nr_free_pages 1\noom_kill 3\n");
    assert_int_equal(swin2sr__cgroup_oom_kills(root), 3);
    assert_int_equal(swin2sr__cgroup_memory_bytes(root), 1024000);
}

static void version_2(void **state) {
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/proc/meminfo", "MemTotal:       1000 kB\n");
    put("/proc/vmstat", "oom_kill 3\n");
    put("/sys/fs/cgroup/a/b/memory.events", "low 0\noom 9\noom_kill 4\noom_group_kill 7\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_int_equal(swin2sr__cgroup_oom_kills(root), 4);
    assert_int_equal(swin2sr__cgroup_memory_bytes(root), 1024000);
    put("/sys/fs/cgroup/a/b/memory.max", "1000\n");
    assert_int_equal(swin2sr__cgroup_memory_bytes(root), 1000);
}

static void version_1_beside_an_empty_2(void **state) {
    put("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/c\n0::/\n");
    put("/sys/fs/cgroup/memory/c/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    put("/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "5000\n");
    assert_int_equal(swin2sr__cgroup_oom_kills(root), 2);
    assert_int_equal(swin2sr__cgroup_memory_bytes(root), 5000);
}

/* The name is the host's; inside, the mount point is the group. */
static void in_a_container(void **state) {
    put("/proc/self/cgroup", "0::/../not/here\n");
    put("/sys/fs/cgroup/memory.events", "oom_kill 8\n");
    put("/sys/fs/cgroup/memory.max", "7000\n");
    assert_int_equal(swin2sr__cgroup_oom_kills(root), 8);
    assert_int_equal(swin2sr__cgroup_memory_bytes(root), 7000);
}

static void parents_limit_too(void **state) {
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/memory.max", "5000\n");
    put("/sys/fs/cgroup/a/b/memory.max", "9000\n");
    put("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    assert_int_equal(swin2sr__cgroup_memory_bytes(root), 5000);
    assert_int_equal(swin2sr__cgroup_cores(root), 2);
}

static void quota_of_version_2(void **state) {
    put("/proc/self/cgroup", "0::/a\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 0);
    put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 0);
    put("/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 3);
    put("/sys/fs/cgroup/a/cpu.max", "1000 100000\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 1);
}

/* The quota lies where the controllers are mounted together, whatever their order and the folder's name. */
static void quota_of_version_1(const char *controllers, const char *mount) {
    char text[512], path[256];
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "700000\n"); /* no mount: must not be read */
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    snprintf(text, sizeof text, "5:cpuset:/y\n4:%s:/x\n3:memory:/c\n0::/\n", controllers);
    put("/proc/self/cgroup", text);
    snprintf(text, sizeof text,
             "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
             "33 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime shared:9 - cgroup cgroup rw,cpuset\n"
             "32 31 0:29 / %s rw,relatime shared:9 - cgroup cgroup rw,%s\n"
             "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
             mount, controllers);
    put("/proc/self/mountinfo", text);
    snprintf(path, sizeof path, "%s/x/cpu.cfs_quota_us", mount);
    put(path, "-1\n");
    snprintf(path, sizeof path, "%s/x/cpu.cfs_period_us", mount);
    put(path, "100000\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 0);
    snprintf(path, sizeof path, "%s/x/cpu.cfs_quota_us", mount);
    put(path, "250000\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 3);
}

static void quota_of_cpu_alone(void **state) {
    quota_of_version_1("cpu", "/sys/fs/cgroup/cpu");
}

static void quota_of_cpu_and_cpuacct(void **state) {
    quota_of_version_1("cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct");
}

static void quota_of_cpuset_and_cpu(void **state) {
    quota_of_version_1("cpuset,cpu", "/sys/fs/cgroup/cpuset,cpu");
}

static void quota_of_all_three(void **state) {
    quota_of_version_1("cpuset,cpu,cpuacct", "/cg");
}

/* cpuset and cpuacct are words of their own: neither is cpu. */
static void no_controller_of_quota(void **state) {
    put("/proc/self/cgroup", "5:cpuset:/x\n4:cpuacct:/x\n");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 0);
}

/* A container without a namespace of cgroups: the group's name is the host's, and the mount shows that group alone. */
static void group_is_mounted_itself(void **state) {
    put("/proc/self/cgroup", "4:cpu,cpuacct:/docker/1/inner\n");
    put("/proc/self/mountinfo", "32 31 0:29 /docker/1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "400000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_quota_us", "200000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_period_us", "100000\n");
    assert_int_equal(swin2sr__cgroup_cores(root), 2);
}

static swin2sr__memory_use use_of_tree(void) {
    swin2sr__memory_files files;
    swin2sr__memory_use use;
    swin2sr__memory_open(&files, root);
    swin2sr__memory_read(&files, &use);
    swin2sr__memory_close(&files);
    return use;
}

static void use_is_unknown(void **state) {
    swin2sr__memory_use use = use_of_tree();
    assert_true(use.limit_bytes == 0 && use.used_bytes == 0 && use.stalled_us == 0);
}

static void use_of_the_machine(void **state) {
    put("/proc/meminfo", "MemTotal:    1000 kB\nMemFree:   5 kB\nMemAvailable:    600 kB\n");
    put("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.00 total=45\n");
    put("/proc/self/cgroup", "0::/a\n");
    put("/sys/fs/cgroup/a/memory.max", "max\n");
    put("/sys/fs/cgroup/a/memory.current", "70\n");
    swin2sr__memory_use use = use_of_tree();
    assert_int_equal(use.limit_bytes, 1024000);
    assert_int_equal(use.used_bytes, 400 << 10);
    assert_int_equal(use.stalled_us, 123);
}

/* The parent has the smaller limit. The numbers change while the files are open. */
static void use_of_version_2(void **state) {
    swin2sr__memory_files files;
    swin2sr__memory_use use;
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/proc/meminfo", "MemTotal:    1000 kB\nMemAvailable:    600 kB\n");
    put("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\n");
    put("/sys/fs/cgroup/a/b/memory.max", "9000\n");
    put("/sys/fs/cgroup/a/b/memory.current", "50\n");
    put("/sys/fs/cgroup/a/memory.max", "5000\n");
    put("/sys/fs/cgroup/a/memory.current", "4000\n");
    put("/sys/fs/cgroup/a/memory.stat", "anon 100\nfile 2000\nshmem 500\ninactive_file 1000\nactive_file 500\n");
    put("/sys/fs/cgroup/a/memory.pressure", "some avg10=1.00 avg60=0.00 avg300=0.00 total=77\nfull total=5\n");
    swin2sr__memory_open(&files, root);
    swin2sr__memory_read(&files, &use);
    assert_int_equal(use.limit_bytes, 5000);
    assert_int_equal(use.used_bytes, 2500);
    assert_int_equal(use.stalled_us, 77);
    put("/sys/fs/cgroup/a/memory.current", "4800\n");
    put("/sys/fs/cgroup/a/memory.max", "max\n");
    swin2sr__memory_read(&files, &use);
    assert_int_equal(use.limit_bytes, 1024000);
    put("/sys/fs/cgroup/a/memory.max", "6000\n");
    swin2sr__memory_read(&files, &use);
    assert_true(use.limit_bytes == 6000 && use.used_bytes == 3300);
    swin2sr__memory_close(&files);
}

static void use_of_version_1(void **state) {
    put("/proc/self/cgroup", "4:memory:/c\n0::/\n");
    put("/proc/meminfo", "MemTotal:    1000 kB\nMemAvailable:    600 kB\n");
    put("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n");
    put("/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "5000\n");
    put("/sys/fs/cgroup/memory/c/memory.usage_in_bytes", "3000\n");
    put("/sys/fs/cgroup/memory/c/memory.stat",
        "cache 7\ninactive_file 7\nactive_file 7\ntotal_inactive_file 600\ntotal_active_file 400\n");
    swin2sr__memory_use use = use_of_tree();
    assert_true(use.limit_bytes == 5000 && use.used_bytes == 2000 && use.stalled_us == 9);
}

/* These files are only read, so they are there for every process. */
static void use_of_this_machine(void **state) {
    swin2sr__memory_files files;
    swin2sr__memory_use use;
    swin2sr__memory_open(&files, "");
    swin2sr__memory_read(&files, &use);
    swin2sr__memory_close(&files);
    assert_true(use.used_bytes > 0 && use.used_bytes < use.limit_bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_there, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(whole_machine, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(version_2, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(version_1_beside_an_empty_2, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(in_a_container, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(parents_limit_too, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(quota_of_version_2, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(quota_of_cpu_alone, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(quota_of_cpu_and_cpuacct, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(quota_of_cpuset_and_cpu, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(quota_of_all_three, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(no_controller_of_quota, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(group_is_mounted_itself, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(use_is_unknown, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(use_of_the_machine, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(use_of_version_2, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(use_of_version_1, make_tree, remove_tree),
        cmocka_unit_test(use_of_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
