/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/engine/test_schedule.c - the counting behind the row pipeline: no layer reads ahead, all rows are done
 * exactly once, rings are bounded by the rows per step and not by the height. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "engine/schedule.h"

#define GROUPS 4
#define DEPTH 6

static swin2sr__block blocks[GROUPS][DEPTH];

/* Only what the schedule reads: depths, shifts, the head's shuffles. */
static swin2sr__network make_network(int32_t groups, int32_t depth, bool is_direct) {
    swin2sr__network network = {.config = {.groups = groups}};
    for (int32_t g = 0; g < groups; g++) {
        network.groups[g] = (swin2sr__group){.blocks = blocks[g], .depth = depth};
        for (int32_t b = 0; b < depth; b++)
            blocks[g][b].is_shifted = b % 2 == 1;
    }
    const int32_t shuffles[] = {1, 2, 2, 1};
    network.stages_count = is_direct ? 1 : 4;
    for (int32_t i = 0; i < network.stages_count; i++)
        network.stages[i].shuffle = is_direct ? 4 : shuffles[i];
    return network;
}

static void check_body(const swin2sr__schedule *s, const swin2sr__schedule *before) {
    int32_t height = s->height, input = s->embed.to;
    assert_int_equal(s->embed.from, before->embed.to);
    for (int32_t g = 0; g < s->network->config.groups; g++) {
        for (int32_t b = 0; b < s->network->groups[g].depth; b++) {
            swin2sr__span span = s->blocks[g][b];
            assert_int_equal(span.from, before->blocks[g][b].to);
            assert_true(span.to <= input);
            bool is_edge = span.to == height || span.to % 8 == (b % 2 == 1 && span.to ? 4 : 0);
            assert_true(is_edge);
            input = span.to;
        }
        assert_int_equal(s->convs[g].from, before->convs[g].to);
        assert_true(s->convs[g].to == height ? input == height : s->convs[g].to <= (input ? input - 1 : 0));
        assert_true(s->convs[g].to - s->convs[g].from <= s->step_rows);
        input = s->convs[g].to;
    }
    assert_true(s->after_body.to == height ? input == height : s->after_body.to <= (input ? input - 1 : 0));
}

static void check_head(const swin2sr__schedule *s, const swin2sr__schedule *before) {
    int32_t made = s->after_body.to, height = s->height;
    for (int32_t i = 0; i < s->network->stages_count; i++) {
        assert_int_equal(s->stages[i].from, before->stages[i].to);
        assert_true(s->stages[i].to == height ? made == height : s->stages[i].to <= (made ? made - 1 : 0));
        made = s->stages[i].to * s->network->stages[i].shuffle;
        height *= s->network->stages[i].shuffle;
    }
}

static void run_height(const swin2sr__network *network, int32_t height, int32_t rows) {
    swin2sr__schedule s, before;
    swin2sr__schedule_init(&s, network, height, rows);
    int32_t available = 0, last = network->stages_count - 1;
    double progress = 0.0;
    for (int steps = 0; !swin2sr__schedule_is_done(&s); steps++) {
        assert_true(steps < 10000);
        before = s;
        if (!swin2sr__schedule_step(&s, available)) {
            assert_true(available < height);
            available++;
            continue;
        }
        check_body(&s, &before);
        assert_true(swin2sr__schedule_progress(&s) >= progress);
        progress = swin2sr__schedule_progress(&s);
        for (before = s; swin2sr__schedule_head(&s); before = s)
            check_head(&s, &before);
    }
    assert_int_equal(available, height);
    int32_t scale = 1;
    for (int32_t i = 0; i < last; i++)
        scale *= network->stages[i].shuffle;
    assert_int_equal(s.stages[last].to, height * scale);
    assert_true(progress == 1.0);
}

static void test_all_heights(void **state) {
    (void)state;
    for (int32_t depth = 1; depth <= DEPTH; depth++) {
        for (int direct = 0; direct <= 1; direct++) {
            swin2sr__network network = make_network(1 + depth % GROUPS, depth, direct);
            for (int32_t height = 8; height <= 200; height += 8) {
                for (int32_t rows = 1; rows <= 9; rows += 2)
                    run_height(&network, height, rows);
            }
        }
    }
}

static void test_rings_do_not_grow_with_height(void **state) {
    (void)state;
    swin2sr__network network = make_network(GROUPS, DEPTH, true);
    swin2sr__ring_rows low = swin2sr__schedule_measure(&network, 1024, 1);
    swin2sr__ring_rows high = swin2sr__schedule_measure(&network, 8192, 1);
    assert_memory_equal(&low, &high, sizeof low);
    for (int32_t g = 0; g < GROUPS; g++) {
        assert_true(low.tiles[g] <= 24 + 8 + 4); /* 20 rows behind, one step, in whole tiles */
        assert_true(low.residual[g] <= 24 + 8);
    }
    assert_true(low.latency < 24 * GROUPS + 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_heights),
        cmocka_unit_test(test_rings_do_not_grow_with_height),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
