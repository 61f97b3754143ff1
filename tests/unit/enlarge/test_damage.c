/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/enlarge/test_damage.c - measures of damage on pictures that are drawn here: what is drawn well has none, and
 * each kind of damage is found and named. bench/choice.py counts on real pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

#include "enlarge/damage.h"

#define SIDE 160
#define FINE 8 /* samples across and down of a pixel that is drawn well */

typedef struct drawing {
    int32_t side;
    uint8_t rows[4 * SIDE * SIDE];
} drawing;

/* Discs and bars of flat colours; x and y in pixels. */
static double paint(double x, double y) {
    double light = 230;
    for (int i = 0; i < 7; i++) {
        double cx = 20 + 21 * i, cy = 30 + 17 * (i * 3 % 7), radius = 9 + 2 * i;
        if ((x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius)
            light = 40 + 25 * i;
    }
    return fabs(x - 0.7 * y - 20) < 3.3 ? 15 : light;
}

/* fine: samples of a pixel across and down; 1: jagged. */
static drawing draw(int fine) {
    drawing self = {.side = SIDE};
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double sum = 0;
            for (int i = 0; i < fine * fine; i++)
                sum += paint(x + (i % fine + 0.5) / fine, y + (i / fine + 0.5) / fine);
            self.rows[y * SIDE + x] = (uint8_t)(sum / (fine * fine) + 0.5);
        }
    return self;
}

static choice_reason judge_as(const drawing *self, rows_kind kind) {
    damage_measures measures;
    assert_int_equal(damage_measure(&kind, self->rows, (size_t)(self->side * kind.channels * kind.sample_bytes),
                                    self->side, self->side, &measures),
                     SWIN2SR_OK);
    return damage_by_measures(&measures);
}

static choice_reason judge(const drawing *self) {
    return judge_as(self, (rows_kind){1, 1, 1});
}

/* Round the DCT coefficients of blocks to multiples of a step that grows with the frequency, as JPEG does. */
static void compress(drawing *self, int side, double step, int offset) {
    double wave[8][8];
    for (int u = 0; u < side; u++)
        for (int i = 0; i < side; i++)
            wave[u][i] = sqrt((u ? 2.0 : 1.0) / side) * cos((2 * i + 1) * u * 3.14159265358979323846 / (2 * side));
    for (int by = offset; by + side <= SIDE; by += side)
        for (int bx = offset; bx + side <= SIDE; bx += side) {
            double out[8][8] = {{0}};
            for (int u = 0; u < side * side; u++) {
                double sum = 0, unit = step * (1 + u % side + u / side);
                for (int i = 0; i < side * side; i++)
                    sum += wave[u % side][i % side] * wave[u / side][i / side] *
                           self->rows[(by + i / side) * SIDE + bx + i % side];
                sum = round(sum / unit) * unit;
                for (int i = 0; i < side * side; i++)
                    out[i / side][i % side] += sum * wave[u % side][i % side] * wave[u / side][i / side];
            }
            for (int i = 0; i < side * side; i++)
                self->rows[(by + i / side) * SIDE + bx + i % side] =
                    (uint8_t)fmin(fmax(round(out[i / side][i % side]), 0), 255);
        }
}

static void what_is_drawn_well_is_undamaged(void **state) {
    drawing well = draw(FINE);
    assert_int_equal(judge(&well), CHOICE_UNDAMAGED);
}

/* Grey, colour, transparency and 16 bits: the measures are of light. */
static void every_kind_of_rows_is_judged_alike(void **state) {
    static const rows_kind kinds[] = {{2, 1, 1}, {3, 3, 1}, {4, 3, 1}, {1, 1, 2}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int is_jagged = 0; is_jagged < 2; is_jagged++) {
            drawing grey = draw(is_jagged ? 1 : FINE), self = {.side = SIDE};
            for (int i = 0; i < SIDE * SIDE; i++)
                for (int32_t c = 0; c < kinds[k].channels * kinds[k].sample_bytes; c++)
                    self.rows[i * kinds[k].channels * kinds[k].sample_bytes + c] =
                        c == kinds[k].colours && kinds[k].sample_bytes == 1 ? 255 : grey.rows[i];
            assert_int_equal(judge_as(&self, kinds[k]), is_jagged ? CHOICE_JAGGED : CHOICE_UNDAMAGED);
        }
}

static void hidden_colours_do_not_count(void **state) {
    const rows_kind kind = {2, 1, 1};
    drawing grey = draw(FINE), plain = {.side = SIDE}, noisy = {.side = SIDE};
    damage_measures of_plain, of_noisy;
    uint32_t noise = 1;
    for (int i = 0; i < SIDE * SIDE; i++) {
        bool is_hidden = i / SIDE < SIDE / 3;
        noise = noise * 1664525u + 1013904223u;
        plain.rows[2 * i] = is_hidden ? 0 : grey.rows[i];
        noisy.rows[2 * i] = is_hidden ? (uint8_t)(noise >> 24) : grey.rows[i];
        plain.rows[2 * i + 1] = noisy.rows[2 * i + 1] = is_hidden ? 0 : 255;
    }
    assert_int_equal(damage_measure(&kind, plain.rows, 2 * SIDE, SIDE, SIDE, &of_plain), SWIN2SR_OK);
    assert_int_equal(damage_measure(&kind, noisy.rows, 2 * SIDE, SIDE, SIDE, &of_noisy), SWIN2SR_OK);
    assert_memory_equal(&of_plain, &of_noisy, sizeof(of_plain));
}

static void blocks_are_found_at_any_offset(void **state) {
    static const struct {
        int side, offset;
        double step;
    } cases[] = {{8, 0, 1.5}, {8, 0, 8}, {8, 3, 1.5}, {8, 5, 4}, {4, 0, 6}, {4, 1, 12}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        drawing self = draw(FINE);
        compress(&self, cases[i].side, cases[i].step, cases[i].offset);
        assert_int_equal(judge(&self), CHOICE_BLOCKS);
    }
}

static void enlarged_is_soft(void **state) {
    drawing well = draw(FINE), self = {.side = SIDE};
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double fx = x / 2.0, fy = y / 2.0, ax = fx - (int)fx, ay = fy - (int)fy;
            const uint8_t *at = well.rows + (int)fy * SIDE + (int)fx;
            self.rows[y * SIDE + x] = (uint8_t)((1 - ay) * ((1 - ax) * at[0] + ax * at[1]) +
                                                ay * ((1 - ax) * at[SIDE] + ax * at[SIDE + 1]) + 0.5);
        }
    assert_int_equal(judge(&self), CHOICE_SOFT);
}

static void steps_are_jagged(void **state) {
    drawing self = draw(1), well = draw(FINE), repeated = {.side = SIDE};
    assert_int_equal(judge(&self), CHOICE_JAGGED);
    for (int i = 0; i < SIDE * SIDE; i++)
        repeated.rows[i] = well.rows[i / SIDE / 2 * SIDE + i % SIDE / 2];
    assert_int_equal(judge(&repeated), CHOICE_JAGGED);
}

static void noise_is_found(void **state) {
    drawing self = draw(FINE);
    uint32_t noise = 1;
    for (int i = 0; i < SIDE * SIDE; i++) {
        noise = noise * 1664525u + 1013904223u;
        self.rows[i] = (uint8_t)(self.rows[i] + (int)(noise >> 29) - 4);
    }
    assert_int_equal(judge(&self), CHOICE_NOISE);
}

static void in_doubt_it_is_damaged(void **state) {
    drawing flat = {.side = SIDE};
    assert_int_not_equal(judge(&flat), CHOICE_UNDAMAGED);
    for (int32_t side = 1; side < 95; side += side < 20 ? 1 : 25) {
        drawing small = draw(FINE);
        small.side = side;
        assert_int_equal(judge(&small), CHOICE_SMALL);
    }
}

static void headers_decide_first(void **state) {
    static const struct {
        probe_info header;
        choice_reason reason;
    } cases[] = {{{.format = FORMAT_PNG}, CHOICE_UNDAMAGED},
                 {{.format = FORMAT_WEBP}, CHOICE_UNDAMAGED},
                 {{.format = FORMAT_WEBP, .is_lossy = true}, CHOICE_LOSSY},
                 {{.format = FORMAT_TIFF}, CHOICE_UNDAMAGED},
                 {{.format = FORMAT_TIFF, .is_lossy = true}, CHOICE_LOSSY},
                 {{.format = FORMAT_GIF}, CHOICE_LOSSY},
                 {{.format = FORMAT_JPEG, .is_lossy = true, .quality = 94}, CHOICE_QUALITY},
                 {{.format = FORMAT_JPEG, .is_lossy = true}, CHOICE_QUALITY},
                 {{.format = FORMAT_JPEG, .is_lossy = true, .quality = 100, .is_subsampled = true}, CHOICE_QUALITY},
                 {{.format = FORMAT_JPEG, .is_lossy = true, .quality = 95}, CHOICE_UNDAMAGED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(damage_by_header(&cases[i].header), cases[i].reason);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_drawn_well_is_undamaged),
        cmocka_unit_test(every_kind_of_rows_is_judged_alike),
        cmocka_unit_test(hidden_colours_do_not_count),
        cmocka_unit_test(blocks_are_found_at_any_offset),
        cmocka_unit_test(enlarged_is_soft),
        cmocka_unit_test(steps_are_jagged),
        cmocka_unit_test(noise_is_found),
        cmocka_unit_test(in_doubt_it_is_damaged),
        cmocka_unit_test(headers_decide_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
