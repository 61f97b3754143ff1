/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/pool/test_cheaper.c - when a plan took too much memory, the next one takes less, and a client learns
 * what was tried and what takes less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool/cheaper.h"
#include "pool/pool.h"

#define MIB ((uint64_t)1 << 20)

/* Of the default network. */
static const ipc_ready facts = {.scale = 4, .base_bytes = 15121984, .column_bytes = 98776};

static job_spec spec_of(uint32_t width_px, uint32_t height_px, uint64_t memory_bytes) {
    return (job_spec){.width_px = width_px,
                      .height_px = height_px,
                      .memory_bytes = memory_bytes,
                      .sample_bytes = 1,
                      .may_shrink = width_px > 1024};
}

static void whole_then_strips_then_tiles(void **state) {
    job_spec spec = spec_of(4000, 3000, 1000 * MIB);
    assert_string_equal(cheaper_name(&facts, &spec), "whole");
    assert_true(cheaper_take_next(&facts, &spec));
    assert_string_equal(cheaper_name(&facts, &spec), "strips");
    assert_true(spec.memory_bytes > 190 * MIB && spec.memory_bytes < 200 * MIB); /* half of 391 MiB */
    assert_true(cheaper_take_next(&facts, &spec));
    assert_string_equal(cheaper_name(&facts, &spec), "tiles");
    assert_true(spec.tile_px == LIMIT_SMALL_TILE_PX && spec.shrink_px == 0);
}

/* The least strips and small tiles take about as much. */
static void narrow_strips_then_a_reduced_image(void **state) {
    job_spec spec = spec_of(8000, 6000, cheaper_strips_bytes(&facts, 8000, 1));
    assert_string_equal(cheaper_name(&facts, &spec), "strips");
    assert_true(cheaper_take_next(&facts, &spec));
    assert_string_equal(cheaper_name(&facts, &spec), "shrink+strips");
    assert_int_equal(spec.shrink_px, LIMIT_OVERSIZE_PX);
    assert_false(cheaper_take_next(&facts, &spec));
}

static void tiles_of_the_client_become_smaller(void **state) {
    job_spec spec = spec_of(1200, 1200, 1000 * MIB);
    spec.tile_px = LIMIT_TILE_PX;
    spec.may_shrink = false;
    assert_string_equal(cheaper_name(&facts, &spec), "tiles");
    assert_true(cheaper_take_next(&facts, &spec));
    assert_int_equal(spec.tile_px, LIMIT_SMALL_TILE_PX);
    assert_false(cheaper_take_next(&facts, &spec));
    assert_int_equal(spec.tile_px, LIMIT_SMALL_TILE_PX);
}

static void reduced_image_in_strips(void **state) {
    job_spec spec = spec_of(4000, 3000, 1000 * MIB);
    spec.shrink_px = LIMIT_OVERSIZE_PX;
    assert_string_equal(cheaper_name(&facts, &spec), "shrink");
    assert_true(cheaper_take_next(&facts, &spec));
    assert_string_equal(cheaper_name(&facts, &spec), "shrink+strips");
    assert_false(cheaper_take_next(&facts, &spec));
}

static void never_reduced_without_permission(void **state) {
    job_spec spec = spec_of(8000, 6000, 0);
    spec.may_shrink = false;
    while (cheaper_take_next(&facts, &spec))
        ;
    assert_int_equal(spec.shrink_px, 0);
}

/* Each plan takes less than the one before, so this ends. */
static void every_width_ends(void **state) {
    for (uint32_t width_px = 1; width_px < 65536; width_px = width_px * 3 / 2 + 1) {
        job_spec spec = spec_of(width_px, 100, 0);
        int plans = 1;
        while (cheaper_take_next(&facts, &spec))
            plans++;
        assert_true(width_px <= 300 ? plans == 1 : plans <= 4);
    }
}

static void an_old_record_has_no_sides(void **state) {
    job_spec spec = spec_of(0, 0, 500 * MIB);
    assert_string_equal(cheaper_name(&facts, &spec), "strips");
    assert_true(cheaper_take_next(&facts, &spec));
}

static job grown_job(network *target, job_spec spec) {
    return (job){.network = target, .spec = spec, .grown_limit_bytes = 250 * MIB};
}

static void one_retry_then_the_client_learns_why(void **state) {
    network target = {.facts = facts};
    job item = grown_job(&target, spec_of(1100, 80, 1000 * MIB));
    assert_true(cheaper_retry(&item));
    assert_string_equal(item.tried, "whole");
    assert_false(cheaper_retry(&item));
    assert_string_equal(item.tried, "whole, strips");
    assert_string_equal(item.detail,
                        "more than the 250 MiB of memory allowed was taken (tried: whole, strips); less is "
                        "needed for oversize=shrink, or an image of at most 550 x 40 pixels");
}

static void a_small_image_has_no_other_plan(void **state) {
    network target = {.facts = facts};
    job item = grown_job(&target, spec_of(24, 16, 1000 * MIB));
    assert_false(cheaper_retry(&item));
    assert_string_equal(item.detail, "more than the 250 MiB of memory allowed was taken (tried: whole); less is needed "
                                     "for an image of at most 12 x 8 pixels");
}

static void a_job_learns_of_the_request(void **state) {
    network target = {.facts = facts};
    job item = grown_job(&target, spec_of(65535, 65535, 1000 * MIB));
    item.spec.preview_side_px = 1;
    item.spec.may_shrink = false;
    item.grown_limit_bytes = 3072 * MIB;
    assert_true(cheaper_retry(&item));
    assert_false(cheaper_retry(&item));
    assert_non_null(strstr(item.detail, "POST /upscale with oversize=shrink, or an image of at most 32767 x 32767 "
                                        "pixels"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_then_strips_then_tiles),       cmocka_unit_test(narrow_strips_then_a_reduced_image),
        cmocka_unit_test(tiles_of_the_client_become_smaller), cmocka_unit_test(reduced_image_in_strips),
        cmocka_unit_test(never_reduced_without_permission),   cmocka_unit_test(every_width_ends),
        cmocka_unit_test(an_old_record_has_no_sides),         cmocka_unit_test(one_retry_then_the_client_learns_why),
        cmocka_unit_test(a_small_image_has_no_other_plan),    cmocka_unit_test(a_job_learns_of_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
