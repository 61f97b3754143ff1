/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_threads.c - every task exactly once, on any number of threads; sleeping threads wake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/threads.h"

#define TASKS 1000

typedef struct tally {
    atomic_uint runs[TASKS];
    atomic_uint threads_over;
    uint32_t threads;
} tally;

static void count_task(void *context, uint32_t task, uint32_t thread) {
    tally *t = context;
    atomic_fetch_add(&t->runs[task], 1);
    if (thread >= t->threads)
        atomic_fetch_add(&t->threads_over, 1);
}

static void run_jobs(uint32_t threads, useconds_t pause_us) {
    static tally t;
    swin2sr_threads *set = NULL;
    assert_int_equal(swin2sr__threads_start(threads, pthread_create, &set), SWIN2SR_OK);
    assert_int_equal(swin2sr__threads_count(set), threads);
    for (uint32_t count = 0; count <= TASKS; count += count < 4 ? 1 : 249) {
        memset(&t, 0, sizeof t);
        t.threads = threads;
        swin2sr__threads_run(set, count_task, &t, count);
        for (uint32_t i = 0; i < TASKS; i++)
            assert_int_equal(atomic_load(&t.runs[i]), i < count);
        assert_int_equal(atomic_load(&t.threads_over), 0);
        if (pause_us)
            usleep(pause_us);
    }
    swin2sr_threads_free(set);
}

static void test_every_task_once(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 5; threads++)
        run_jobs(threads, 0);
}

static void test_sleepers_wake(void **state) {
    (void)state;
    run_jobs(3, 2000); /* longer than a thread spins */
}

static int starts_left; /* of start_few */

static int start_few(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
    return starts_left-- > 0 ? pthread_create(ret_thread, attributes, run, argument) : EAGAIN;
}

/* Where the system starts fewer threads, those that there are do all the work, and the reason can be told. */
static void test_fewer_threads(void **state) {
    (void)state;
    static tally t;
    for (int few = 0; few <= 4; few++) {
        swin2sr_threads *set = NULL;
        char text[128] = "?";
        starts_left = few;
        memset(&t, 0, sizeof t);
        t.threads = (uint32_t)few + 1;
        assert_int_equal(swin2sr__threads_start(5, start_few, &set), SWIN2SR_OK);
        assert_int_equal(swin2sr__threads_count(set), few + 1);
        swin2sr__threads_run(set, count_task, &t, TASKS);
        for (uint32_t i = 0; i < TASKS; i++)
            assert_int_equal(atomic_load(&t.runs[i]), 1);
        assert_int_equal(atomic_load(&t.threads_over), 0);
        swin2sr__threads_describe_missing(set, text, sizeof text);
        char expected[128] = "";
        if (few < 4)
            snprintf(expected, sizeof expected,
                     "%d of 5 threads could be started: %s; see ulimit -u and the cgroup's pids.max", few + 1,
                     strerror(EAGAIN));
        assert_string_equal(text, expected);
        swin2sr_threads_free(set);
    }
}

static void test_free_null(void **state) {
    (void)state;
    swin2sr_threads_free(NULL);
}

static void test_cores(void **state) {
    (void)state;
    assert_true(swin2sr__cores_usable() >= 1);
    assert_true(swin2sr__cores_usable() <= sysconf(_SC_NPROCESSORS_CONF));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_once), cmocka_unit_test(test_sleepers_wake),
        cmocka_unit_test(test_fewer_threads),   cmocka_unit_test(test_free_null),
        cmocka_unit_test(test_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
