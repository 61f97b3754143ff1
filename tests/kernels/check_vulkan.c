/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_vulkan.c - each kernel of the Vulkan device, alone, against sums in double, at odd sizes.
 * usage: check_vulkan [N]   device N of `swin2sr device list`; 0
 * Rings wrap around, outputs lie between guards, and memory that no network owns is NaN (vulkan_bench.h). The bound of a
 * sum is k * eps * sum |x| |w|. Exits with 77 where there is no device. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vulkan_bench.h"

/* ---- linear ---- */

/* size: of the weights. Sums of large ones are beyond the largest half, which then takes their place. */
static void check_linear(bench *self, int32_t K, int32_t N, int32_t W, int32_t flags, float slope, float size) {
    int32_t all = rounded(N, 64), k_all = rounded(K, 12), from = 4, to = 7, in_rows = 5, out_rows = 3;
    float *w = self->regions[WEIGHTS], *x = self->regions[FIRST];
    bench_prepare(self, SWIN2SR__VK_LINEAR, all + all * k_all);
    bench_fill(self, FIRST, in_rows, K, W, from, to);
    for (int32_t n = 0; n < N; n++) {
        w[n] = noise();
        for (int32_t k = 0; k < K; k++)
            w[all + (n / 64 * k_all + k) * 64 + n % 64] = size * noise();
    }
    swin2sr__vk_push push = {from, to,    W,    9,  {in_rows, 0, 0, out_rows, 0}, {K, 0}, N, W, 9, N, 1, flags,
                             0,    slope, 1.0f, {0}};
    bench_run(self, all, &push, (W + 63) / 64, to - from, all / 64);
    for (int32_t y = from; y < to; y++)
        for (int32_t n = 0; n < N; n++)
            for (int32_t i = 0; i < W; i++) {
                double sum = w[n], magnitude = fabs(sum);
                for (int32_t k = 0; k < K; k++) {
                    double product =
                        (double)w[all + (n / 64 * k_all + k) * 64 + n % 64] * x[index_of(in_rows, K, W, y, k, i)];
                    sum += product, magnitude += fabs(product);
                }
                double value = flags ? 0.5 * sum * (1.0 + erf(sum * 0.7071067811865476)) : sum > 0 ? sum : slope * sum;
                bench_take(self, RESULT, index_of(out_rows, N, W, y, n, i), value,
                           1.2 * (K + 4) * EPS * magnitude + (flags ? 5e-7 * (1.0 + fabs(sum)) : 0.0));
            }
    bench_finish(self, "linear K %d, N %d, W %d, flags %d", K, N, W, flags);
}

/* ---- conv ---- */

typedef struct conv_case {
    int32_t first, second, outputs, width, height, shuffle, flags, cut; /* cut: of the output's last column and row */
    bool has_added, has_copy;
} conv_case;

/* Channels of a tile of weights. */
static int32_t conv_channels(const conv_case *t) {
    return rounded(t->first, 4) + (t->second ? rounded(t->second, 4) : 0);
}

static float *conv_weight(float *w, const conv_case *t, int32_t n, int32_t plane, int32_t c, int32_t tap) {
    int32_t tile = n / 32 * conv_channels(t) + plane * rounded(t->first, 4) + c;
    return &w[rounded(t->outputs, 32) + (tile * 9 + tap) * 32 + n % 32];
}

static void fill_conv(bench *self, const conv_case *t, int32_t rows, int32_t from, int32_t to) {
    int32_t above = from > 0 ? from - 1 : 0, below = to < t->height ? to + 1 : to;
    bench_prepare(self, SWIN2SR__VK_CONV, rounded(t->outputs, 32) * (1 + 9 * conv_channels(t)));
    bench_fill(self, FIRST, rows, t->first, t->width, above, below);
    bench_fill(self, SECOND, rows, t->second, t->width, above, below);
    if (t->has_added)
        bench_fill(self, ADDED, rows, t->outputs, t->width, from, to);
    for (int32_t n = 0; n < t->outputs; n++) {
        self->regions[WEIGHTS][n] = noise();
        for (int32_t plane = 0; plane < 2; plane++)
            for (int32_t i = 0; i < 9 * (plane ? t->second : t->first); i++)
                *conv_weight(self->regions[WEIGHTS], t, n, plane, i / 9, i % 9) = noise();
    }
}

static double convolve(bench *self, const conv_case *t, int32_t rows, int32_t n, int32_t y, int32_t x,
                       double *ret_size) {
    double sum = self->regions[WEIGHTS][n], size = fabs(sum);
    for (int32_t plane = 0; plane < 2; plane++) {
        int32_t channels = plane ? t->second : t->first;
        for (int32_t i = 0; i < 9 * channels; i++) {
            int32_t c = i / 9, tap = i % 9, sy = y + tap / 3 - 1, sx = x + tap % 3 - 1;
            if (sy < 0 || sy >= t->height || sx < 0 || sx >= t->width)
                continue;
            double product = (double)*conv_weight(self->regions[WEIGHTS], t, n, plane, c, tap) *
                             self->regions[FIRST + plane][index_of(rows, channels, t->width, sy, c, sx)];
            sum += product, size += fabs(product);
        }
    }
    *ret_size = size;
    return sum;
}

/* Rows [from, to) of a plane that is higher by `more`: rows below belong to a later step. */
static void check_conv(bench *self, conv_case t, int32_t more) {
    int32_t from = t.height > 4 ? 4 : 0, to = t.height, rows = to - from + 3, places = t.shuffle * t.shuffle;
    t.height += more;
    int32_t channels = t.outputs / places, out_w = t.width * t.shuffle - t.cut, out_h = t.height * t.shuffle - t.cut;
    int32_t out_rows = (to - from + more) * t.shuffle;
    float slope = t.has_added ? 1.0f : 0.2f;
    fill_conv(self, &t, rows, from, to);
    swin2sr__vk_push push = {
        .from = from,
        .to = to,
        .width = t.width,
        .height = t.height,
        .rows = {rows, t.second ? rows : 0, t.has_added ? rows : 0, out_rows, t.has_copy ? out_rows : 0},
        .channels = {t.first, t.second},
        .outputs = t.outputs,
        .out_width = out_w,
        .out_height = out_h,
        .out_channels = channels,
        .shuffle = t.shuffle,
        .flags = t.flags,
        .slope = slope,
        .factor = 1.0f};
    bench_run(self, rounded(t.outputs, 32), &push, (t.width + 15) / 16, (to - from + 7) / 8, (t.outputs + 31) / 32);
    for (int32_t y = from; y < to; y++)
        for (int32_t x = 0; x < t.width; x++)
            for (int32_t n = 0; n < t.outputs; n++) {
                double size, sum = convolve(self, &t, rows, n, y, x, &size);
                int32_t c = t.flags ? n / places : n % channels, place = t.flags ? n % places : n / channels;
                int32_t oy = y * t.shuffle + place / t.shuffle, ox = x * t.shuffle + place % t.shuffle;
                sum = sum > 0 ? sum : slope * sum;
                if (oy >= out_h || ox >= out_w)
                    continue;
                if (t.has_added)
                    sum += self->regions[ADDED][index_of(rows, t.outputs, t.width, y, n, x)];
                for (int i = RESULT; i <= (t.has_copy ? COPY : RESULT); i++)
                    bench_take(self, (region)i, index_of(out_rows, channels, out_w, oy, c, ox), sum,
                               (9 * (t.first + t.second) + 4) * EPS * (size + 1.0));
            }
    bench_finish(self, "conv %d + %d to %d, %dx%d, shuffle %d, flags %d", t.first, t.second, t.outputs, t.width,
                 t.height, t.shuffle, t.flags);
}

/* ---- norm ---- */

static void check_norm(bench *self, int32_t C, int32_t W, int32_t flags, bool has_copy) {
    int32_t from = 3, to = 6, rows = 5, quads = (C + 3) / 4;
    float *w = self->regions[WEIGHTS];
    bench_prepare(self, SWIN2SR__VK_NORM, 8 * quads);
    bench_fill(self, FIRST, rows, C, W, from, to);
    if (flags & SWIN2SR__VK_ADD)
        bench_fill(self, SECOND, 4, C, W, from, to);
    for (int32_t c = 0; c < C; c++)
        w[c] = noise(), w[4 * quads + c] = noise();
    swin2sr__vk_push push = {from,   to,    W, 9,    {rows, flags & SWIN2SR__VK_ADD ? 4 : 0, 0, 3, has_copy ? 6 : 0},
                             {C, C}, C,     W, 9,    C,
                             1,      flags, 0, 1.0f, 1.0f,
                             {0}};
    bench_run(self, REGION_FLOATS, &push, (W + 63) / 64, to - from, 1);
    for (int32_t y = from; y < to; y++)
        for (int32_t x = 0; x < W; x++) {
            double mean = 0.0, squares = 0.0;
            for (int32_t c = 0; c < C && flags & SWIN2SR__VK_CENTRE; c++)
                mean += self->regions[FIRST][index_of(rows, C, W, y, c, x)] / (double)C;
            for (int32_t c = 0; c < C; c++)
                squares += pow(self->regions[FIRST][index_of(rows, C, W, y, c, x)] - mean, 2) / C;
            for (int32_t c = 0; c < C; c++) {
                double value =
                    (self->regions[FIRST][index_of(rows, C, W, y, c, x)] - mean) / sqrt(squares + 1e-5) * w[c] +
                    w[4 * quads + c];
                if (flags & SWIN2SR__VK_ADD)
                    value += self->regions[SECOND][index_of(4, C, W, y, c, x)];
                /* relative error of the deviation, which small deviations enlarge */
                double bound = (2.0 * C + 16.0) * EPS * (2.0 + 2.0 / sqrt(squares + 1e-5));
                bench_take(self, RESULT, index_of(3, C, W, y, c, x), value, bound);
                if (has_copy)
                    bench_take(self, COPY, index_of(6, C, W, y, c, x), value, bound);
            }
        }
    bench_finish(self, "norm C %d, W %d, flags %d", C, W, flags);
}

/* ---- pixels ---- */

static void check_pixels(bench *self, int32_t C, int32_t W, int32_t pitch, bool is_float) {
    int32_t rows = 3, words = is_float ? W * C : (W * C + 3) / 4, from = 2, to = 5;
    float factor = 1.0f / 255.0f;
    bench_prepare(self, SWIN2SR__VK_PIXELS, 0);
    bench_fill(self, FIRST, rows, C, pitch, from, to);
    for (int32_t i = 0; i < rows * C * pitch; i++)
        self->regions[FIRST][i] *= 200.0f;
    swin2sr__vk_push push = {.from = from,
                             .to = to,
                             .width = W,
                             .height = 9,
                             .rows = {rows, 0, 0, rows, 0},
                             .channels = {C, 0},
                             .outputs = C,
                             .out_width = pitch,
                             .out_height = 9,
                             .out_channels = 1,
                             .shuffle = 1,
                             .flags = is_float ? SWIN2SR__VK_FLOAT : 0,
                             .slope = 1.0f,
                             .factor = factor,
                             .mean = {0.4f, 0.5f, 0.6f}};
    bench_run(self, REGION_FLOATS, &push, (words + 63) / 64, to - from, 1);
    for (int32_t y = from; y < to; y++)
        for (int32_t i = 0; i < (is_float ? words : 4 * words); i++) {
            float *word = &self->regions[RESULT][y % rows * words + (is_float ? i : i / 4)];
            double value = i < W * C
                               ? (double)self->regions[FIRST][index_of(rows, C, pitch, y, i % C, i / C)] * factor +
                                     (double)push.mean[i % C]
                               : 0.0;
            double level = fmin(fmax(value, 0.0), 1.0) * 255.0;
            self->is_good &= is_float ? fabs(*word - value) <= 1e-6 : fabs(((uint8_t *)word)[i % 4] - level) <= 0.5001;
        }
    for (int32_t i = 0; i < rows * words; i++) /* guards again */
        self->regions[RESULT][i] = self->regions[COPY][0];
    bench_finish(self, "pixels C %d, W %d of %d, float %d", C, W, pitch, is_float);
}

/* ---- bicubic ---- */

/* The four pixels, from `from` on, and the weights of each column or row. */
static void fill_table(float *table, int32_t count, int32_t from, int32_t limit) {
    for (int32_t i = 0; i < count * 8; i++) {
        int32_t place = from + (i / 8 + i % 8) % limit;
        if (i % 8 < 4)
            memcpy(&table[i], &place, sizeof place);
        else
            table[i] = noise();
    }
}

static int32_t place_of(const float *table, int32_t i, int32_t j) {
    int32_t place;
    memcpy(&place, &table[8 * i + j], sizeof place);
    return place;
}

static void check_bicubic(bench *self, int32_t C, int32_t W, int32_t out_W) {
    int32_t H = 9, out_H = 11, in_rows = 7, from = 3, to = 8;
    float *columns = self->regions[SECOND], *rows = columns + 8 * out_W;
    bench_prepare(self, SWIN2SR__VK_BICUBIC, 0);
    bench_fill(self, FIRST, in_rows, C, W, H - in_rows, H);
    fill_table(columns, out_W, 0, W);
    fill_table(rows, out_H, H - in_rows, in_rows);
    swin2sr__vk_push push = {from, to,   W,    H,  {in_rows, 1, 0, 7, 0}, {C, 1}, C, out_W, out_H, C, 1, 0,
                             0,    1.0f, 1.0f, {0}};
    bench_run(self, REGION_FLOATS, &push, (out_W + 63) / 64, to - from, C);
    for (int32_t y = from; y < to; y++)
        for (int32_t x = 0; x < out_W; x++)
            for (int32_t c = 0; c < C; c++) {
                double sum = 0.0, size = 0.0;
                for (int32_t i = 0; i < 16; i++) {
                    int32_t at = index_of(in_rows, C, W, place_of(rows, y, i / 4), c, place_of(columns, x, i % 4));
                    double product =
                        (double)rows[8 * y + 4 + i / 4] * columns[8 * x + 4 + i % 4] * self->regions[FIRST][at];
                    sum += product, size += fabs(product);
                }
                bench_take(self, RESULT, index_of(7, C, out_W, y, c, x), sum, 20 * EPS * size);
            }
    bench_finish(self, "bicubic C %d, W %d to %d", C, W, out_W);
}

/* ---- all ---- */

static bool has_variant(const bench *self, swin2sr__vk_kernel kernel) {
    return self->network.pipelines[kernel][self->variant] != VK_NULL_HANDLE;
}

static void check_products(bench *self) {
    static const int32_t inputs[] = {5, 12, 13, 60, 61}, outputs[] = {3, 64, 65, 130}, widths[] = {1, 63, 65};
    static const conv_case convs[] = {
        {3, 0, 5, 1, 1, 1, 0, 0, false, false},    {4, 0, 32, 17, 9, 1, 0, 0, false, true},
        {5, 3, 33, 15, 13, 1, 0, 0, false, false}, {6, 0, 3, 33, 21, 1, 1, 0, true, false},
        {7, 0, 48, 18, 12, 4, 1, 3, false, false}, {4, 4, 36, 16, 8, 3, 0, 0, false, false},
        {9, 0, 64, 31, 7, 2, 0, 1, false, true},   {1, 0, 4, 5, 5, 2, 1, 0, false, false}};
    for (size_t i = 0; i < 5 * 4 * 3 && has_variant(self, SWIN2SR__VK_LINEAR); i++)
        check_linear(self, inputs[i / 12], outputs[i / 3 % 4], widths[i % 3],
                     (i / 12 + i / 3) % 2 ? SWIN2SR__VK_GELU : 0, i % 3 ? 1.0f : 0.2f, 1.0f);
    if (has_variant(self, SWIN2SR__VK_LINEAR))
        check_linear(self, 60, 65, 63, 0, 1.0f, 60000.0f);
    for (size_t i = 0; i < sizeof convs / sizeof convs[0] && has_variant(self, SWIN2SR__VK_CONV); i++)
        check_conv(self, convs[i], i % 2 ? 5 : 0);
}

static void check_others(bench *self) {
    if (has_variant(self, SWIN2SR__VK_NORM)) {
        check_norm(self, 60, 65, SWIN2SR__VK_CENTRE, true);
        check_norm(self, 6, 1, SWIN2SR__VK_ADD, false);
        check_norm(self, 33, 63, SWIN2SR__VK_ADD, false);
    }
    for (int i = 0; i < 8 && has_variant(self, SWIN2SR__VK_PIXELS); i++)
        check_pixels(self, i % 2 ? 3 : 1, i / 4 ? 69 : 1, i / 4 ? 71 : 4, i / 2 % 2);
    if (has_variant(self, SWIN2SR__VK_BICUBIC)) {
        check_bicubic(self, 3, 5, 65);
        check_bicubic(self, 1, 9, 30);
    }
}

/* A device for each shape of attention; the first one checks the other kernels too. */
static bool check_shape(int32_t index, const bench_shape *shape, bool is_half, bool is_first, bench *sum,
                        swin2sr_error *error) {
    bench self = {0};
    bool is_open = bench_open(&self, index, shape, is_half, error);
    bool is_done = is_half && !self.network.is_half; /* the driver has no halves */
    for (; is_open && self.variant < SWIN2SR__VK_VARIANTS && !is_done; self.variant++) {
        if (is_first) {
            check_products(&self);
            check_others(&self);
        }
        if (has_variant(&self, SWIN2SR__VK_ATTENTION))
            check_attention(&self, shape);
    }
    sum->cases += self.cases;
    sum->failures += self.failures;
    for (int i = 0; i < SWIN2SR__VK_KERNELS; i++)
        sum->worst[i] = fmax(sum->worst[i], self.worst[i]);
    bench_close(&self);
    return is_open;
}

int main(int argc, char **argv) {
    static const bench_shape shapes[] = {{10, 3, 8}, {30, 2, 8}, {6, 5, 7}, {60, 2, 5}};
    bench all = {0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < 8; i++) {
        swin2sr_error error = {""};
        if (!check_shape(argc > 1 ? atoi(argv[1]) : 0, &shapes[i % 4], i >= 4, i % 4 == 0, &all, &error)) {
            printf("skip: %s\n", error.text);
            return getenv("SWIN2SR_NEEDS_VULKAN") ? 1 : 77;
        }
    }
    printf("errors of floats as shares of their bounds, at most: conv %.2f, linear %.2f, norm %.2f, attention %.2f, "
           "bicubic %.2f\n",
           all.worst[SWIN2SR__VK_CONV], all.worst[SWIN2SR__VK_LINEAR], all.worst[SWIN2SR__VK_NORM],
           all.worst[SWIN2SR__VK_ATTENTION], all.worst[SWIN2SR__VK_BICUBIC]);
    printf("kernels of Vulkan: %d cases, %d failed\n", all.cases, all.failures);
    return all.failures > 0;
}
