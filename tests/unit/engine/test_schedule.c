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
#include "kernels/kernels.h"

#define GROUPS 4
#define DEPTH 6

typedef enum head_kind {
    HEAD_DIRECT,
    HEAD_SHUFFLES,
    HEAD_AUX,
    HEAD_COUNT
} head_kind;

/* Only what the schedule reads: depths, shifts, the head's shuffles. */
static swin2sr__network make_network(int32_t groups, int32_t depth, head_kind head, int32_t window, bool is_triple) {
    swin2sr__network network = {
        .config = {.groups = groups, .window_px = window, .scale = 4, .dim = 64, .is_triple = is_triple}};
    const int32_t shuffles[HEAD_COUNT][6] = {{4}, {1, 2, 2, 1}, {1, 1, 1, 2, 2, 1}};
    const int32_t counts[HEAD_COUNT] = {1, 4, 6};
    for (int32_t g = 0; g < groups; g++)
        network.config.depths[g] = depth;
    network.config.head = head == HEAD_AUX ? SWIN2SR__HEAD_PIXELSHUFFLE_AUX : SWIN2SR__HEAD_PIXELSHUFFLE;
    network.stages_count = counts[head];
    for (int32_t i = 0; i < network.stages_count; i++)
        network.stages[i].shuffle = shuffles[head][i];
    return network;
}

/* `cut` rows of padding below the image. */
static swin2sr__side whole_side(int32_t padded, int32_t cut) {
    return (swin2sr__side){.px = padded - cut, .padded = padded, .whole_px = padded - cut, .whole_padded = padded};
}

/* A 3x3 convolution over `made` of `height` rows may have done no more than `done`. */
static void check_covered(int32_t done, int32_t made, int32_t height) {
    assert_true(done == height ? made == height : done <= (made ? made - 1 : 0));
}

/* The same of one that makes rows by fours, from a multiple of four on. */
static void check_convolved(int32_t done, int32_t made, int32_t height) {
    check_covered(done, made, height);
    assert_true(done == height || done % SWIN2SR__CONV_ROWS == 0);
}

static void check_body(const swin2sr__schedule *s, const swin2sr__schedule *before) {
    int32_t height = s->side.padded, input = s->embed.to;
    assert_int_equal(s->embed.from, before->embed.to);
    for (int32_t g = 0; g < s->network->config.groups; g++) {
        for (int32_t b = 0; b < s->network->config.depths[g]; b++) {
            swin2sr__span span = s->blocks[g][b];
            assert_int_equal(span.from, before->blocks[g][b].to);
            assert_true(span.to <= input);
            int32_t window = s->network->config.window_px;
            bool is_edge = span.to == height || span.to % window == (b % 2 == 1 && span.to ? window / 2 : 0);
            assert_true(is_edge);
            input = span.to;
        }
        if (swin2sr__network_narrow(s->network)) {
            assert_int_equal(s->narrows[g].from, before->narrows[g].to);
            check_convolved(s->narrows[g].to, input, height);
            input = s->narrows[g].to;
        }
        assert_int_equal(s->convs[g].from, before->convs[g].to);
        check_convolved(s->convs[g].to, input, height);
        assert_true(s->convs[g].to - s->convs[g].from < s->step_rows + SWIN2SR__CONV_ROWS);
        input = s->convs[g].to;
    }
    if (swin2sr__network_narrow(s->network)) {
        check_convolved(s->body_narrow.to, input, height);
        input = s->body_narrow.to;
    }
    check_convolved(s->after_body.to, input, height);
}

static void check_head(const swin2sr__schedule *s, const swin2sr__schedule *before) {
    int32_t made = s->after_body.to, height = s->side.padded;
    for (int32_t i = 0; i < s->network->stages_count; i++) {
        bool is_joined = swin2sr__network_has_aux(s->network) && i == s->network->stages_count - 1;
        assert_int_equal(s->stages[i].from, before->stages[i].to);
        if (is_joined) {
            height = s->side.px * s->network->config.scale;
            assert_int_equal(s->cubic.from, before->cubic.to);
            check_covered(s->cubic.to, s->bicubic.to, height);
            assert_true(s->cubic.to <= made);
            made = s->cubic.to;
            int32_t last = (int32_t)swin2sr__side_source(&s->side, s->network->config.scale, s->bicubic.to - 1) + 2;
            assert_true(s->bicubic.to == 0 || s->available == s->side.padded || last < s->available);
        }
        check_convolved(s->stages[i].to, made, height);
        made = s->stages[i].to * s->network->stages[i].shuffle;
        height *= s->network->stages[i].shuffle;
    }
}

static void run_height(const swin2sr__network *network, int32_t height, int32_t cut, int32_t rows) {
    swin2sr__schedule s, before;
    swin2sr__side side = whole_side(height, cut);
    swin2sr__schedule_init(&s, network, &side, rows);
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
        assert_int_equal(s.bicubic.to, before.bicubic.to); /* nothing to do: nothing was planned */
        assert_int_equal(s.cubic.to, before.cubic.to);
    }
    assert_int_equal(available, height);
    int32_t scale = 1;
    for (int32_t i = 0; i < last; i++)
        scale *= network->stages[i].shuffle;
    assert_int_equal(s.stages[last].to, (swin2sr__network_has_aux(network) ? height - cut : height) * scale);
    assert_true(progress == 1.0);
}

static void run_heights(const swin2sr__network *network) {
    int32_t window = network->config.window_px;
    for (int32_t height = window; height <= 25 * window; height += window) {
        for (int32_t rows = 1; rows <= 9; rows += 2) {
            for (int32_t cut = 0; cut < window; cut += 3)
                run_height(network, height, cut, rows);
        }
    }
}

static void test_all_heights(void **state) {
    (void)state;
    for (int32_t depth = 1; depth <= DEPTH; depth++) {
        for (int head = 0; head < HEAD_COUNT; head++) {
            for (int32_t window = 7; window <= 8; window++) {
                swin2sr__network network = make_network(1 + depth % GROUPS, depth, (head_kind)head, window, depth % 2);
                run_heights(&network);
            }
        }
    }
}

static void test_rings_do_not_grow_with_height(void **state) {
    (void)state;
    swin2sr__network network = make_network(GROUPS, DEPTH, HEAD_DIRECT, 8, false);
    swin2sr__side low_side = whole_side(1024, 0), high_side = whole_side(8192, 0);
    swin2sr__ring_rows low = swin2sr__schedule_measure(&network, &low_side, 1);
    swin2sr__ring_rows high = swin2sr__schedule_measure(&network, &high_side, 1);
    assert_memory_equal(&low, &high, sizeof low);
    for (int32_t g = 0; g < GROUPS; g++) {
        assert_true(low.features[g] <= 24 + 8 + 4); /* 20 rows behind, one step, in whole tiles */
        assert_true(low.residual[g] <= 24 + 8);
    }
    assert_true(low.latency < 24 * GROUPS + 32);
}

/* What waits before a stage: the four rows that it makes next and their neighbours, what a shuffle by two makes of four
 * rows, and less than four that were too few. */
static void test_head_keeps_little(void **state) {
    (void)state;
    swin2sr__network network = make_network(GROUPS, DEPTH, HEAD_SHUFFLES, 8, false);
    swin2sr__side side = whole_side(1024, 0);
    swin2sr__ring_rows rings = swin2sr__schedule_measure(&network, &side, 1);
    for (int32_t i = 1; i < network.stages_count; i++)
        assert_in_range(rings.stages[i], 4 + 2, 4 + 2 + 8 + 3);
    assert_in_range(rings.output, 4, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_heights),
        cmocka_unit_test(test_head_keeps_little),
        cmocka_unit_test(test_rings_do_not_grow_with_height),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
