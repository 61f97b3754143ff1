/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/admit/test_degrade.c - when levels of degrading begin and end, with given samples and a given clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admit/admit.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define SAMPLE_US (LIMIT_SAMPLE_MS * UINT64_C(1000))

typedef struct stage {
    degrade_state state;
    degrade_input input;
    uint64_t now_us;
} stage;

/* A container of 1000 MiB. */
static stage at_ease(void) {
    return (stage){.input = {.limit_bytes = 1000 * MIB, .used_bytes = 500 * MIB}, .now_us = 1000000};
}

/* The level after so many milliseconds with the present input. */
static degrade_level after_ms(stage *self, uint64_t ms) {
    for (uint64_t end_us = self->now_us + ms * 1000; self->now_us < end_us; self->now_us += SAMPLE_US)
        degrade_step(&self->state, &self->input, self->now_us);
    return self->state.level;
}

static void free_memory(stage *self, uint64_t mib) {
    self->input.used_bytes = self->input.limit_bytes - mib * MIB;
}

static void nothing_happens_at_ease(void **state) {
    stage self = at_ease();
    assert_int_equal(after_ms(&self, 60000), DEGRADE_NONE);
    assert_int_equal(self.state.changes[DEGRADE_NONE], 0);
}

static void memory_begins_and_ends(void **state) {
    stage self = at_ease();
    free_memory(&self, 149);
    assert_int_equal(after_ms(&self, LIMIT_DEGRADE_BEGIN_MS), DEGRADE_NONE);
    assert_int_equal(after_ms(&self, 200), DEGRADE_SHRINK);
    assert_int_equal(self.state.reason, DEGRADE_BY_MEMORY);
    free_memory(&self, 190); /* between the limits */
    assert_int_equal(after_ms(&self, 60000), DEGRADE_SHRINK);
    free_memory(&self, 210);
    assert_int_equal(after_ms(&self, LIMIT_DEGRADE_END_MS), DEGRADE_SHRINK);
    assert_int_equal(after_ms(&self, 200), DEGRADE_NONE);
    free_memory(&self, 160);
    assert_int_equal(after_ms(&self, 60000), DEGRADE_NONE);
    assert_int_equal(self.state.changes[DEGRADE_SHRINK], 1);
    assert_int_equal(self.state.changes[DEGRADE_NONE], 1);
}

static void a_short_burst_is_ignored(void **state) {
    stage self = at_ease();
    for (int i = 0; i < 20; i++) {
        free_memory(&self, 10);
        assert_int_equal(after_ms(&self, LIMIT_DEGRADE_BEGIN_MS - 100), DEGRADE_NONE);
        free_memory(&self, 500);
        assert_int_equal(after_ms(&self, 100), DEGRADE_NONE);
    }
}

static void a_short_relief_is_ignored(void **state) {
    stage self = at_ease();
    free_memory(&self, 100);
    assert_int_equal(after_ms(&self, 1000), DEGRADE_SHRINK);
    for (int i = 0; i < 20; i++) {
        free_memory(&self, 500);
        assert_int_equal(after_ms(&self, LIMIT_DEGRADE_END_MS - 100), DEGRADE_SHRINK);
        free_memory(&self, 100);
        assert_int_equal(after_ms(&self, 100), DEGRADE_SHRINK);
    }
    assert_int_equal(self.state.changes[DEGRADE_SHRINK], 1);
}

static void refuse_ends_in_steps(void **state) {
    stage self = at_ease();
    free_memory(&self, 40);
    assert_int_equal(after_ms(&self, 1000), DEGRADE_REFUSE);
    assert_int_equal(self.state.changes[DEGRADE_SHRINK], 0); /* both began with the same sample */
    free_memory(&self, 120);
    assert_int_equal(after_ms(&self, 10000), DEGRADE_SHRINK);
    free_memory(&self, 300);
    assert_int_equal(after_ms(&self, 10000), DEGRADE_NONE);
}

static void stalls(void **state) {
    stage self = at_ease();
    self.input.stalled_share = 0.11;
    assert_int_equal(after_ms(&self, 1000), DEGRADE_SHRINK);
    assert_int_equal(self.state.reason, DEGRADE_BY_STALLS);
    self.input.stalled_share = 0.41;
    assert_int_equal(after_ms(&self, 1000), DEGRADE_REFUSE);
    self.input.stalled_share = 0.02;
    assert_int_equal(after_ms(&self, 10000), DEGRADE_NONE);
}

/* The level of the network for a hurry begins before the others, where there is such a network. */
static void fast_comes_first(void **state) {
    stage self = at_ease();
    self.input.can_hurry = true;
    self.input.queue_share = 0.16;
    assert_int_equal(after_ms(&self, LIMIT_DEGRADE_BEGIN_MS), DEGRADE_NONE);
    assert_int_equal(after_ms(&self, 200), DEGRADE_FAST);
    assert_int_equal(self.state.reason, DEGRADE_BY_QUEUE);
    self.input.queue_share = 0.21;
    assert_int_equal(after_ms(&self, 1000), DEGRADE_SHRINK);
    self.input.queue_share = 0.09;
    assert_int_equal(after_ms(&self, 10000), DEGRADE_FAST);
    self.input.queue_share = 0.07;
    assert_int_equal(after_ms(&self, 10000), DEGRADE_NONE);
    free_memory(&self, 169);
    assert_int_equal(after_ms(&self, 1000), DEGRADE_FAST);
    assert_int_equal(self.state.reason, DEGRADE_BY_MEMORY);
    free_memory(&self, 210);
    self.input.stalled_share = 0.06;
    assert_int_equal(after_ms(&self, 10000), DEGRADE_FAST);
    assert_int_equal(self.state.changes[DEGRADE_FAST], 3);
    self.input.can_hurry = false;
    assert_int_equal(after_ms(&self, 1000), DEGRADE_NONE);
}

/* All quantities must be beyond their limits before a level ends, and its reason is the one that still counts. */
static void queue_and_then_memory(void **state) {
    stage self = at_ease();
    self.input.queue_share = 0.81;
    assert_int_equal(after_ms(&self, 1000), DEGRADE_REFUSE);
    assert_int_equal(self.state.reason, DEGRADE_BY_QUEUE);
    free_memory(&self, 40);
    assert_int_equal(after_ms(&self, 1000), DEGRADE_REFUSE);
    self.input.queue_share = 0;
    assert_int_equal(after_ms(&self, 10000), DEGRADE_REFUSE);
    assert_int_equal(self.state.reason, DEGRADE_BY_MEMORY);
    assert_int_equal(self.state.changes[DEGRADE_REFUSE], 1);
}

static void unknown_memory_is_no_shortage(void **state) {
    stage self = {.now_us = 1, .input = {.used_bytes = 5}};
    assert_int_equal(after_ms(&self, 10000), DEGRADE_NONE);
}

/* Of a machine with 64 GiB, 15 % would be 9.6 GiB. */
static void a_large_machine_is_not_short_early(void **state) {
    stage self = {.now_us = 1, .input = {.limit_bytes = 64 * GIB}};
    free_memory(&self, 1100);
    assert_int_equal(after_ms(&self, 10000), DEGRADE_NONE);
    free_memory(&self, 1000);
    assert_int_equal(after_ms(&self, 10000), DEGRADE_SHRINK);
    free_memory(&self, 250);
    assert_int_equal(after_ms(&self, 10000), DEGRADE_REFUSE);
}

/* ---- what a level means ---- */

static void what_is_refused(void **state) {
    static const server_config config = {.deadline_s = 300};
    pool workers = {.config = &config, .worker_count = 1};
    const network target = {.owner = &workers};
    degrade_state level = {.level = DEGRADE_SHRINK, .reason = DEGRADE_BY_MEMORY};
    problem what;
    assert_true(admit_level(&target, &level, false, &what));
    level.level = DEGRADE_REFUSE;
    for (int is_job = 0; is_job < 2; is_job++) {
        assert_false(admit_level(&target, &level, is_job, &what));
        assert_int_equal(what.kind, PROBLEM_MEMORY);
        assert_in_range(what.retry_after_s, LIMIT_DEGRADE_END_MS / 1000, LIMIT_RETRY_AFTER_S);
    }
    level.reason = DEGRADE_BY_QUEUE;
    assert_false(admit_level(&target, &level, false, &what));
    assert_int_equal(what.kind, PROBLEM_BUSY);
    assert_true(admit_level(&target, &level, true, &what));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_happens_at_ease),
        cmocka_unit_test(memory_begins_and_ends),
        cmocka_unit_test(a_short_burst_is_ignored),
        cmocka_unit_test(a_short_relief_is_ignored),
        cmocka_unit_test(refuse_ends_in_steps),
        cmocka_unit_test(stalls),
        cmocka_unit_test(fast_comes_first),
        cmocka_unit_test(queue_and_then_memory),
        cmocka_unit_test(unknown_memory_is_no_shortage),
        cmocka_unit_test(a_large_machine_is_not_short_early),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
