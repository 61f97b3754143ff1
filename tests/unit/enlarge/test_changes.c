/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/enlarge/test_changes.c - where canvases differ, and areas that are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enlarge/changes.h"
#include "enlarge/kept_areas.h"

#define WIDTH 203
#define HEIGHT 101
#define BYTES ((size_t)WIDTH * HEIGHT * 4)

static uint8_t before[BYTES], now[BYTES];

static void change(int32_t x, int32_t y) {
    now[((size_t)y * WIDTH + (size_t)x) * 4 + (size_t)((x + y) % 4)] ^= 0x55;
}

static int32_t find(changes_area *areas) {
    return changes_find(before, now, WIDTH, HEIGHT, areas);
}

static bool is_inside(const changes_area *areas, int32_t count, int32_t x, int32_t y) {
    for (int32_t i = 0; i < count; i++)
        if (x >= areas[i].x && y >= areas[i].y && x < areas[i].x + areas[i].width_px &&
            y < areas[i].y + areas[i].height_px)
            return true;
    return false;
}

static void nothing_before_is_all_new(void **state) {
    changes_area areas[CHANGES_MAX];
    assert_int_equal(changes_find(NULL, now, WIDTH, HEIGHT, areas), 1);
    assert_int_equal(areas[0].width_px * 1000 + areas[0].height_px, WIDTH * 1000 + HEIGHT);
    memcpy(now, before, BYTES);
    assert_int_equal(find(areas), 0);
}

static void small_changes_are_found_to_the_pixel(void **state) {
    changes_area areas[CHANGES_MAX];
    memcpy(now, before, BYTES);
    change(17, 40);
    change(20, 33);
    assert_int_equal(find(areas), 1);
    assert_memory_equal(&areas[0], (&(changes_area){17, 33, 4, 8}), sizeof areas[0]);
    change(WIDTH - 1, HEIGHT - 1);
    assert_int_equal(find(areas), 2);
    assert_true(is_inside(areas, 2, WIDTH - 1, HEIGHT - 1) && is_inside(areas, 2, 17, 40));
    assert_false(is_inside(areas, 2, 100, 70));
    change(33, 40); /* in the next block: one area */
    assert_int_equal(find(areas), 2);
}

static void every_change_is_in_an_area_and_areas_are_apart(void **state) {
    uint32_t seed = 7;
    for (int round = 0; round < 200; round++) {
        changes_area areas[CHANGES_MAX];
        int32_t at[60][2], count = 1 + round % 60;
        memcpy(now, before, BYTES);
        for (int32_t i = 0; i < count; i++) {
            seed = seed * 1664525 + 1013904223;
            at[i][0] = (int32_t)(seed >> 8) % WIDTH;
            at[i][1] = (int32_t)(seed >> 20) % HEIGHT;
            now[((size_t)at[i][1] * WIDTH + (size_t)at[i][0]) * 4] = 200;
        }
        int32_t found = find(areas);
        assert_in_range(found, 1, CHANGES_MAX);
        for (int32_t i = 0; i < count; i++)
            assert_true(is_inside(areas, found, at[i][0], at[i][1]));
        for (int32_t i = 0; i < found; i++)
            for (int32_t k = 0; k < i; k++) {
                changes_area a = changes_widen(areas[i], 8, WIDTH, HEIGHT),
                             b = changes_widen(areas[k], 7, WIDTH, HEIGHT);
                assert_true(a.x >= b.x + b.width_px || b.x >= a.x + a.width_px || a.y >= b.y + b.height_px ||
                            b.y >= a.y + a.height_px);
            }
    }
}

static void widening_stops_at_the_canvas(void **state) {
    changes_area area = changes_widen((changes_area){2, 50, 10, 49}, 6, WIDTH, HEIGHT);
    assert_memory_equal(&area, (&(changes_area){0, 44, 18, 57}), sizeof area);
    area = changes_join((changes_area){0}, (changes_area){3, 4, 5, 6});
    assert_memory_equal(&area, (&(changes_area){3, 4, 5, 6}), sizeof area);
}

static void kept_areas_are_found_by_their_pixels(void **state) {
    kept_areas *kept = calloc(1, sizeof(*kept));
    changes_area here = {1, 2, 3, 4}, there = {1, 2, 4, 3};
    kept_areas_add(kept, here, (const uint8_t *)"in", 2, (const uint8_t *)"out", 3);
    assert_memory_equal(kept_areas_find(kept, here, (const uint8_t *)"in", 2), "out", 3);
    assert_null(kept_areas_find(kept, here, (const uint8_t *)"im", 2));
    assert_null(kept_areas_find(kept, here, (const uint8_t *)"in", 1));
    assert_null(kept_areas_find(kept, there, (const uint8_t *)"in", 2));
    kept_areas_done(kept);
    free(kept);
}

static void old_areas_make_room(void **state) {
    kept_areas *kept = calloc(1, sizeof(*kept));
    size_t size = KEPT_AREAS_BYTES / 4;
    uint8_t *output = calloc(1, size);
    for (uint8_t i = 0; i < 6; i++)
        kept_areas_add(kept, (changes_area){0, 0, 1, 1}, &i, 1, output, size);
    assert_true(kept->bytes <= KEPT_AREAS_BYTES && kept->count == 3);
    assert_null(kept_areas_find(kept, (changes_area){0, 0, 1, 1}, &(uint8_t){2}, 1));
    assert_non_null(kept_areas_find(kept, (changes_area){0, 0, 1, 1}, &(uint8_t){5}, 1));
    for (int32_t i = 0; i < KEPT_AREAS_MAX + 5; i++)
        kept_areas_add(kept, (changes_area){i, 0, 1, 1}, output, 1, output, 1);
    assert_int_equal(kept->count, KEPT_AREAS_MAX);
    kept_areas_done(kept);
    assert_int_equal(kept->bytes, 0);
    free(kept);
    free(output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_before_is_all_new),
        cmocka_unit_test(small_changes_are_found_to_the_pixel),
        cmocka_unit_test(every_change_is_in_an_area_and_areas_are_apart),
        cmocka_unit_test(widening_stops_at_the_canvas),
        cmocka_unit_test(kept_areas_are_found_by_their_pixels),
        cmocka_unit_test(old_areas_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
