/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_io.c - tasks run in order on the I/O thread and complete on the loop. */
#include "store/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TASKS 100

typedef struct counted {
    io_task task;
    io_thread *io;
    int *next_work, *next_done;
    int worked, done; /* position in the order of calls, from 1 */
    pthread_t worker, completer;
    bool is_again; /* submit it again from done */
} counted;

static void work(io_task *task) {
    counted *self = (counted *)task;
    self->worked = ++*self->next_work;
    self->worker = pthread_self();
}

static void done(io_task *task) {
    counted *self = (counted *)task;
    self->done = ++*self->next_done;
    self->completer = pthread_self();
    if (!self->is_again)
        return;
    self->is_again = false;
    io_submit(self->io, task);
}

static void tasks_run_in_order_off_the_loop(void **state) {
    event_loop loop;
    io_thread io;
    counted tasks[TASKS];
    int next_work = 0, next_done = 0;
    assert_true(loop_init(&loop));
    assert_true(io_start(&io, &loop));
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (counted){.task = {.work = work, .done = done},
                             .io = &io,
                             .next_work = &next_work,
                             .next_done = &next_done,
                             .is_again = i == 0};
        io_submit(&io, &tasks[i].task);
    }
    while (io.count > 0)
        loop_step(&loop, 1000);
    assert_int_equal(next_done, TASKS + 1);
    assert_int_equal(tasks[0].worked, TASKS + 1);
    for (int i = 1; i < TASKS; i++) {
        assert_int_equal(tasks[i].worked, i + 1);
        assert_int_equal(tasks[i].done, i + 1);
        assert_true(pthread_equal(tasks[i].completer, pthread_self()));
        assert_false(pthread_equal(tasks[i].worker, pthread_self()));
    }
    io_stop(&io);
    loop_done(&loop);
}

static void the_end_finishes_what_was_submitted(void **state) {
    event_loop loop;
    io_thread io;
    counted tasks[TASKS];
    int next_work = 0, next_done = 0;
    assert_true(loop_init(&loop));
    assert_true(io_start(&io, &loop));
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (counted){.task = {.work = work, .done = done},
                             .io = &io,
                             .next_work = &next_work,
                             .next_done = &next_done,
                             .is_again = i == TASKS - 1};
        io_submit(&io, &tasks[i].task);
    }
    io_stop(&io);
    assert_int_equal(next_done, TASKS + 1);
    loop_done(&loop);
}

static void without_a_thread_it_is_done_at_once(void **state) {
    io_thread io = {.count = 0};
    int next_work = 0, next_done = 0;
    counted one = {.task = {.work = work, .done = done}, .io = &io, .next_work = &next_work, .next_done = &next_done};
    io_submit(&io, &one.task);
    assert_int_equal(one.done, 1);
    io_stop(&io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_in_order_off_the_loop),
        cmocka_unit_test(the_end_finishes_what_was_submitted),
        cmocka_unit_test(without_a_thread_it_is_done_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
