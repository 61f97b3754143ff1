/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/loop/test_loop.c - the event loop: descriptors, deadlines in order, removal from within callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/loop.h"

typedef struct fixture {
    event_loop loop;
    int pipes[2][2];
    loop_watch watches[2];
    loop_timer timers[3];
    int order[8], count;
    struct timer_note {
        struct fixture *owner;
        int index;
    } notes[3];
} fixture;

static void on_due(void *context) {
    struct timer_note *note = context;
    note->owner->order[note->owner->count++] = note->index;
}

/* The one that is called first removes both. */
static void on_ready(void *context, uint32_t events) {
    fixture *self = context;
    self->count++;
    for (int i = 0; i < 2; i++)
        loop_watch_remove(&self->loop, &self->watches[i]);
}

static int set_up(void **state) {
    static fixture self;
    self = (fixture){.count = 0};
    assert_true(loop_init(&self.loop));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(self.pipes[i]), 0);
        self.watches[i] = (loop_watch){.fd = self.pipes[i][0], .on_ready = on_ready, .context = &self};
    }
    for (int i = 0; i < 3; i++) {
        self.notes[i] = (struct timer_note){&self, i};
        self.timers[i] = (loop_timer){.on_due = on_due, .context = &self.notes[i]};
    }
    *state = &self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;
    for (int i = 0; i < 2; i++) {
        close(self->pipes[i][0]);
        close(self->pipes[i][1]);
    }
    loop_done(&self->loop);
    return 0;
}

static void a_removed_watch_is_not_called(void **state) {
    fixture *self = *state;
    for (int i = 0; i < 2; i++) {
        assert_true(loop_watch_add(&self->loop, &self->watches[i], EPOLLIN));
        assert_int_equal(write(self->pipes[i][1], "x", 1), 1);
    }
    for (int i = 0; i < 3; i++)
        loop_step(&self->loop, 0);
    assert_int_equal(self->count, 1);
    loop_watch_remove(&self->loop, &self->watches[0]);
}

static void timers_come_in_order(void **state) {
    fixture *self = *state;
    uint64_t now = swin2sr__clock_us();
    loop_timer_set(&self->loop, &self->timers[0], now - 1);
    loop_timer_set(&self->loop, &self->timers[1], now - 3);
    loop_timer_set(&self->loop, &self->timers[2], now + 1000000);
    loop_timer_set(&self->loop, &self->timers[2], now - 2);
    loop_step(&self->loop, 0);
    assert_int_equal(self->count, 3);
    assert_int_equal(self->order[0], 1);
    assert_int_equal(self->order[1], 2);
    assert_int_equal(self->order[2], 0);
}

static void a_cleared_timer_is_not_called(void **state) {
    fixture *self = *state;
    for (int i = 0; i < 3; i++)
        loop_timer_set(&self->loop, &self->timers[i], swin2sr__clock_us() - 1);
    loop_timer_clear(&self->loop, &self->timers[1]);
    loop_timer_clear(&self->loop, &self->timers[1]);
    loop_step(&self->loop, 0);
    assert_int_equal(self->count, 2);
}

static void waits_for_the_next_deadline(void **state) {
    fixture *self = *state;
    uint64_t begun = swin2sr__clock_us();
    loop_timer_set(&self->loop, &self->timers[0], begun + 20000);
    loop_step(&self->loop, -1);
    assert_int_equal(self->count, 1);
    assert_true(swin2sr__clock_us() - begun >= 20000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_removed_watch_is_not_called, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_come_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cleared_timer_is_not_called, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_the_next_deadline, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
