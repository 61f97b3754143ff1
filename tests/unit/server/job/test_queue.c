/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/job/test_queue.c - the queue: first in, first out; any job can be removed; its count and cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job/job.h"

#define JOBS 3

static void assert_order(const job_queue *queue, job *const *expected, size_t count) {
    const job *previous = NULL;
    const job *at = queue->first;
    assert_int_equal(queue->count, count);
    assert_int_equal(queue->cost_us, 5 * count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(at, expected[i]);
        assert_ptr_equal(at->previous, previous);
        previous = at;
        at = at->next;
    }
    assert_null(at);
    assert_ptr_equal(queue->last, previous);
}

static void order(void **state) {
    job_queue queue = {NULL, NULL, 0, 0};
    job jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        job_init(&jobs[i]);
        jobs[i].cost_us = 5;
    }
    job_queue_append(&queue, &jobs[0]);
    job_queue_append(&queue, &jobs[1]);
    job_queue_prepend(&queue, &jobs[2]);
    assert_order(&queue, (job *[]){&jobs[2], &jobs[0], &jobs[1]}, 3);
}

static void removal(void **state) {
    for (int removed = 0; removed < JOBS; removed++) {
        job_queue queue = {NULL, NULL, 0, 0};
        job jobs[JOBS];
        job *left[JOBS];
        size_t count = 0;
        for (int i = 0; i < JOBS; i++) {
            job_init(&jobs[i]);
            jobs[i].cost_us = 5;
            job_queue_append(&queue, &jobs[i]);
            if (i != removed)
                left[count++] = &jobs[i];
        }
        job_queue_remove(&queue, &jobs[removed]);
        assert_order(&queue, left, count);
        for (size_t i = 0; i < count; i++)
            job_queue_remove(&queue, left[i]);
        assert_order(&queue, NULL, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(order), cmocka_unit_test(removal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
