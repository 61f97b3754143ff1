/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/admit/test_cost.c - the predicted memory of an image includes what its decoder holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admit/admit.h"

#define BASE_BYTES 1000
#define COLUMN_BYTES 10

/* The header of a JPEG of 1600 x 800 pixels, 4:2:0. Its first scan has the first components. */
static const uint8_t jpeg[] = "\xff\xd8\xff\xc0\0\x11\x8\3\x20\6\x40\3\1\x22\0\2\x11\1\3\x11\1"
                              "\xff\xda\0\x8\3\1\0\2\1\3\1";
#define MARKER_AT 3
#define SCAN_COMPONENTS_AT 25

static uint64_t cost_of(uint8_t marker, uint8_t scan_components) {
    const network target = {.facts = {.base_bytes = BASE_BYTES, .column_bytes = COLUMN_BYTES}};
    uint8_t file[sizeof(jpeg)];
    probe_info info;
    for (size_t i = 0; i < sizeof(jpeg); i++)
        file[i] = jpeg[i];
    file[MARKER_AT] = marker;
    file[SCAN_COMPONENTS_AT] = scan_components;
    assert_int_equal(probe_bytes(file, sizeof(file), &info, NULL), SWIN2SR_OK);
    admit_work work = {.decoder_bytes = probe_held_bytes(&info)};
    cost_predict(&target, &info, &work);
    return work.bytes;
}

static void test_jpeg_in_several_scans(void **state) {
    uint64_t strip = BASE_BYTES + 1600 * COLUMN_BYTES, coefficients = (200 * 100 + 2 * 100 * 50) * 128;
    assert_int_equal(cost_of(0xc0, 3), strip);
    assert_int_equal(cost_of(0xc0, 1), strip + coefficients);
    assert_int_equal(cost_of(0xc2, 3), strip + coefficients);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_jpeg_in_several_scans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
