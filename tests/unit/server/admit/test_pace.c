/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/admit/test_pace.c - room in the queue, the predicted wait, and its spread over refused clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admit/admit.h"
#include "base/clock.h"

#define SECOND 1000000u

static const server_config config = {.queue_max = 2};

/* Two workers, each with a job that takes 10 s and has just begun. */
static void fill(pool *workers, job running[2]) {
    *workers = (pool){.config = &config, .worker_count = 2};
    for (int i = 0; i < 2; i++) {
        job_init(&running[i]);
        running[i].cost_us = 10 * SECOND;
        running[i].started_us = swin2sr__clock_us();
        workers->workers[i] = (worker){.state = WORKER_BUSY, .job = &running[i]};
    }
}

static void room_until_the_queue_is_full(void **state) {
    static pool workers;
    job running[2], waiting[2];
    fill(&workers, running);
    for (int i = 0; i < 2; i++) {
        assert_true(pace_has_room(&workers));
        job_init(&waiting[i]);
        job_queue_append(&workers.queue, &waiting[i]);
    }
    assert_false(pace_has_room(&workers));
    workers.workers[0].state = WORKER_IDLE;
    assert_true(pace_has_room(&workers));
}

/* No job has been finished yet: the wait is predicted from the costs alone. */
static void wait_is_the_work_left_by_workers(void **state) {
    static pool workers;
    job running[2], waiting = {.cost_us = 30 * SECOND};
    fill(&workers, running);
    job_queue_append(&workers.queue, &waiting);
    assert_in_range(pace_wait_us(&workers), 24 * SECOND, 25 * SECOND);
    running[0].started_us -= 60 * SECOND; /* longer than predicted: no time is left */
    assert_in_range(pace_wait_us(&workers), 19 * SECOND, 20 * SECOND);
    job_queue_remove(&workers.queue, &waiting);
    assert_int_equal(pace_wait_us(&workers), 0);
    workers.workers[1].state = WORKER_IDLE;
    assert_int_equal(pace_wait_us(&workers), 0);
}

/* A job of an hour beside short ones. */
static void one_long_job_does_not_lengthen_the_wait(void **state) {
    static pool workers;
    job running[2], waiting = {.cost_us = 6 * SECOND};
    fill(&workers, running);
    running[1].cost_us = 3600ull * SECOND;
    assert_in_range(pace_wait_us(&workers), 9 * SECOND, 10 * SECOND);
    job_queue_append(&workers.queue, &waiting);
    assert_in_range(pace_wait_us(&workers), 15 * SECOND, 16 * SECOND);
}

static void spread_is_between_half_and_all_of_it(void **state) {
    assert_int_equal(pace_spread_s(40 * SECOND, 0), 21);
    assert_int_equal(pace_spread_s(40 * SECOND, UINT32_MAX), 41);
    assert_int_equal(pace_spread_s(0, UINT32_MAX), 1);
    assert_int_equal(pace_spread_s(UINT64_MAX, 0), LIMIT_RETRY_AFTER_S);
    int counts[42] = {0};
    for (uint64_t i = 0; i < 2000; i++)
        counts[pace_spread_s(40 * SECOND, (uint32_t)(i * (UINT32_MAX / 2000)))]++;
    for (int second = 21; second <= 40; second++)
        assert_in_range(counts[second], 99, 102);
}

static void retry_after_is_within_the_spread(void **state) {
    static pool workers;
    job running[2];
    fill(&workers, running);
    for (int i = 0; i < 100; i++)
        assert_in_range(pace_retry_after_s(&workers), 5, 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_until_the_queue_is_full),
        cmocka_unit_test(wait_is_the_work_left_by_workers),
        cmocka_unit_test(one_long_job_does_not_lengthen_the_wait),
        cmocka_unit_test(spread_is_between_half_and_all_of_it),
        cmocka_unit_test(retry_after_is_within_the_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
