/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/pool/test_memory.c - how much a worker may grow, which worker is ended, and the share of stalls: with
 * given times and a made-up tree of /proc and cgroup files. The memory of a worker is that of this process. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool/memory.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define PIECE_BYTES (40 * MIB)

static void growth_limit(void **state) {
    static const struct {
        uint64_t limit, baselines;
        int workers;
        uint64_t memory, expected;
    } rows[] = {
        {64 * GIB, GIB, 2, 25 * GIB, 3 * GIB},            /* the most */
        {1000 * MIB, 100 * MIB, 2, 400 * MIB, 360 * MIB}, /* 0.8 x 900 / 2 */
        {1000 * MIB, 100 * MIB, 1, 800 * MIB, 720 * MIB}, /* 0.8 x 900 */
        {64 * GIB, 20 * MIB, 2, 200 * MIB, 192 * MIB},    /* --memory, less 0.8 x 10 */
        {0, 20 * MIB, 2, 200 * MIB, 192 * MIB},           /* no limit is known */
        {100 * MIB, 100 * MIB, 1, 80 * MIB, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t found = memory_growth_limit(rows[i].limit, rows[i].baselines, rows[i].workers, rows[i].memory);
        assert_in_range(found, rows[i].expected - (rows[i].expected ? 100 : 0), rows[i].expected);
    }
}

/* ---- a pool with two workers, which are this process ---- */

static char root[] = "/tmp/swin2sr-memory-XXXXXX";

static void put(const char *path, const char *text) {
    char full[200];
    snprintf(full, sizeof full, "%s%s", root, path);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_tree(void **state) {
    char path[100];
    memcpy(root + strlen(root) - 6, "XXXXXX", 6);
    if (!mkdtemp(root))
        return -1;
    snprintf(path, sizeof path, "%s/proc", root);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/proc/pressure", root);
    mkdir(path, 0700);
    put("/proc/meminfo", "MemTotal: 4096000 kB\nMemAvailable: 3096000 kB\n");
    return 0;
}

static int remove_tree(void **state) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

typedef struct stage {
    pool_set pools;
    server_config config;
    memory_guard guard;
    event_loop loop;
} stage;

static worker_handler handler;

/* Both may grow by PIECE_BYTES. */
static stage *set_up(void) {
    stage *self = calloc(1, sizeof *self);
    assert_true(self && loop_init(&self->loop));
    pool *only = &self->pools.pools[0];
    self->pools.pool_count = 1;
    self->config.worker_count = only->worker_count = 2;
    for (int i = 0; i < 2; i++) {
        worker *w = &only->workers[i];
        worker_init(w, &self->loop, &handler);
        w->pid = getpid();
        w->state = WORKER_BUSY;
        worker_watch_memory(w);
        assert_true(w->memory_fd >= 0 && w->baseline_bytes > 0);
    }
    self->config.worker_memory_bytes = PIECE_BYTES + only->workers[0].baseline_bytes / 5 * 4;
    memory_open(&self->guard, &self->pools, &self->config, root);
    return self;
}

static void take_down(stage *self) {
    memory_close(&self->guard);
    for (int i = 0; i < 2; i++)
        close(self->pools.pools[0].workers[i].memory_fd);
    loop_done(&self->loop);
    free(self);
}

static void *take_memory(size_t bytes) {
    void *piece = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(piece != MAP_FAILED);
    memset(piece, 1, bytes);
    return piece;
}

static void a_busy_worker_that_grew_is_ended(void **state) {
    stage *self = set_up();
    pool *only = &self->pools.pools[0];
    worker *busy = &only->workers[0], *idle = &only->workers[1];
    job item = {.attempts = 0};
    busy->job = &item;
    idle->state = WORKER_IDLE;
    void *half = take_memory(PIECE_BYTES / 2);
    memory_sample(&self->guard, 1000000);
    assert_false(busy->is_killed);
    assert_in_range(self->guard.growth_limit_bytes, PIECE_BYTES - MIB, PIECE_BYTES);
    assert_int_equal(only->growth_limit_bytes, self->guard.growth_limit_bytes);

    void *rest = take_memory(PIECE_BYTES);
    memory_sample(&self->guard, 1100000);
    assert_true(busy->is_killed && busy->end_reason == METRICS_RESTART_MEMORY);
    assert_false(idle->is_killed);
    assert_in_range(item.grown_bytes, PIECE_BYTES, 2 * PIECE_BYTES);
    assert_int_equal(item.grown_limit_bytes, self->guard.growth_limit_bytes);
    assert_int_equal(item.attempts, 1);
    munmap(half, PIECE_BYTES / 2);
    munmap(rest, PIECE_BYTES);
    take_down(self);
}

/* The upload is mapped; the kernel can drop its pages. */
static void pages_of_files_do_not_count(void **state) {
    stage *self = set_up();
    char path[100];
    snprintf(path, sizeof path, "%s/file", root);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0 && ftruncate(fd, 2 * PIECE_BYTES) == 0);
    char *file = mmap(NULL, 2 * PIECE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(file != MAP_FAILED);
    memset(file, 1, 2 * PIECE_BYTES);
    memory_sample(&self->guard, 1000000);
    assert_false(self->pools.pools[0].workers[0].is_killed);
    munmap(file, 2 * PIECE_BYTES);
    close(fd);
    take_down(self);
}

static void put_stalls(uint64_t total_us) {
    char text[100];
    snprintf(text, sizeof text, "some avg10=0.00 avg60=0.00 avg300=0.00 total=%llu\n", (unsigned long long)total_us);
    put("/proc/pressure/memory", text);
}

/* Half of the time is stalled, for three seconds; then none for three seconds. */
static void stalls_are_averaged(void **state) {
    put_stalls(7000000);
    stage *self = set_up();
    uint64_t now_us = 50000000, stalled_us = 7000000;
    memory_sample(&self->guard, now_us);
    assert_true(self->guard.stalled_share == 0);
    for (int i = 0; i < 30; i++) {
        put_stalls(stalled_us += 50000);
        memory_sample(&self->guard, now_us += 100000);
        assert_true(i > 0 || self->guard.stalled_share < 0.06);
    }
    assert_true(self->guard.stalled_share > 0.47 && self->guard.stalled_share < 0.5);
    for (int i = 0; i < 30; i++)
        memory_sample(&self->guard, now_us += 100000);
    assert_true(self->guard.stalled_share < 0.03);
    assert_int_equal(self->guard.sample_count, 61);
    assert_int_equal(self->guard.use.used_bytes, (uint64_t)1000000 << 10);
    take_down(self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_limit),
        cmocka_unit_test_setup_teardown(a_busy_worker_that_grew_is_ended, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(pages_of_files_do_not_count, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(stalls_are_averaged, make_tree, remove_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
