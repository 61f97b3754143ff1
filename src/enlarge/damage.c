/* SPDX-License-Identifier: Apache-2.0
 * enlarge/damage.c - measures of damage, and the table of what an undamaged picture has at most (stage 4 of 9, decode).
 * All measures are of light, in levels of 0..255. The limits were found with `bench/choice.py --tune`. */
#include "enlarge/damage.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define SIDE_MIN 16    /* of a picture that is measured at all */
#define QUALITY_MIN 95 /* of a JPEG that may be undamaged */

typedef struct plane {
    int32_t width, height;
    float *light;   /* [height][width] */
    float *scratch; /* as large */
} plane;

static inline float at(const plane *self, int32_t x, int32_t y) {
    return self->light[(size_t)y * (size_t)self->width + (size_t)x];
}

/* ---- light ---- */

static float sample(const uint8_t *pixel, int32_t channel, int32_t bytes) {
    uint16_t wide;
    if (bytes == 1)
        return pixel[channel];
    memcpy(&wide, pixel + 2 * channel, sizeof(wide));
    return (float)wide / 257.0f;
}

static float light_of(const rows_kind *kind, const uint8_t *pixel) {
    int32_t bytes = kind->sample_bytes;
    float light = kind->colours == 1 ? sample(pixel, 0, bytes)
                                     : 0.299f * sample(pixel, 0, bytes) + 0.587f * sample(pixel, 1, bytes) +
                                           0.114f * sample(pixel, 2, bytes);
    if (kind->channels == kind->colours)
        return light;
    float alpha = sample(pixel, kind->colours, bytes) / 255.0f;
    return light * alpha + 255.0f * (1.0f - alpha);
}

static void take_light(plane *self, const rows_kind *kind, const uint8_t *rows, size_t stride_bytes, int32_t width_px) {
    size_t pixel_bytes = (size_t)(kind->channels * kind->sample_bytes);
    size_t left_bytes = (size_t)((width_px - self->width) / 2) * pixel_bytes;
    float *to = self->light;
    for (int32_t y = 0; y < self->height; y++)
        for (int32_t x = 0; x < self->width; x++)
            *to++ = light_of(kind, rows + (size_t)y * stride_bytes + left_bytes + (size_t)x * pixel_bytes);
}

/* ---- blocks ---- */

#define SIDE_MAX 8
#define BASES 4
#define NOTHING 0.05f  /* the coefficient of a place without any detail, which says nothing */
#define NEAR_ZERO 1.0f /* what is left by rounding pixels of a block whose coefficient is 0 */
#define SMALL 4.0f     /* at most half a step of the quantisation of a JPEG of quality 95 */

/* Which coefficients are counted: frequencies across and down. */
typedef struct block_test {
    int32_t side;
    int32_t bases[BASES][2];
} block_test;

static const block_test jpeg_test = {8, {{4, 4}, {5, 5}, {3, 6}, {6, 3}}};
static const block_test webp_test = {4, {{2, 2}, {3, 3}, {2, 3}, {3, 2}}};

typedef struct block_counts {
    uint32_t near_zero[SIDE_MAX * SIDE_MAX], all[SIDE_MAX * SIDE_MAX]; /* by the offset, [y][x] */
} block_counts;

/* A column of the orthonormal DCT (type II). */
static void cosines(int32_t side, int32_t frequency, float ret_weights[SIDE_MAX]) {
    for (int32_t i = 0; i < side; i++)
        ret_weights[i] = (float)(sqrt(2.0 / side) * cos((2 * i + 1) * frequency * PI / (2 * side)));
}

/* Count one coefficient of the blocks at every place. */
static void count_base(const plane *self, const block_test *test, const int32_t base[2], block_counts *counts) {
    int32_t side = test->side, width = self->width - side + 1, height = self->height - side + 1;
    float across[SIDE_MAX], down[SIDE_MAX];
    cosines(side, base[0], across);
    cosines(side, base[1], down);
    for (int32_t y = 0; y < self->height; y++) {
        const float *row = self->light + (size_t)y * (size_t)self->width;
        float *sums = self->scratch + (size_t)y * (size_t)self->width;
        for (int32_t x = 0; x < width; x++) {
            float sum = 0;
            for (int32_t i = 0; i < side; i++)
                sum += across[i] * row[x + i];
            sums[x] = sum;
        }
    }
    for (int32_t y = 0; y < height; y++) {
        const float *sums = self->scratch + (size_t)y * (size_t)self->width;
        for (int32_t x = 0; x < width; x++) {
            float sum = 0;
            for (int32_t i = 0; i < side; i++)
                sum += down[i] * sums[x + i * self->width];
            sum = fabsf(sum);
            int32_t offset = y % side * side + x % side;
            counts->all[offset] += sum >= NOTHING && sum < SMALL;
            counts->near_zero[offset] += sum >= NOTHING && sum < NEAR_ZERO;
        }
    }
}

static int by_value(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static double measure_blocks(const plane *self, const block_test *test) {
    block_counts counts = {.all = {0}};
    double shares[SIDE_MAX * SIDE_MAX];
    int32_t offsets = test->side * test->side, best = 0;
    for (int32_t i = 0; i < BASES; i++)
        count_base(self, test, test->bases[i], &counts);
    for (int32_t i = 0; i < offsets; i++) {
        shares[i] = (counts.near_zero[i] + 1.0) / (counts.all[i] + 2.0);
        best = shares[i] > shares[best] ? i : best;
    }
    double most = shares[best];
    qsort(shares, (size_t)offsets, sizeof(shares[0]), by_value);
    double median = shares[offsets / 2];
    return (most - median) / sqrt(median * (1 - median) / (counts.all[best] + 2.0));
}

/* ---- detail, edges, quiet places ---- */

#define DETAIL_MIN 6.0f /* of both first differences together */
#define STRONG_STEP 24.0f
#define QUIET_MAX 6.0f   /* first differences in a quiet place */
#define STRONG_MIN 30.0f /* and at a strong edge */
#define AWAY_PX 2        /* a quiet place is this far from everything that is not quiet */
#define BESIDE_PX 6      /* beside an edge: no farther than this, across or down */
#define FLAT_MAX 0.5f
#define MARGIN_PX (BESIDE_PX + 1)

static inline float gradient(const plane *self, int32_t x, int32_t y) {
    return 0.5f * (fabsf(at(self, x + 1, y) - at(self, x - 1, y)) + fabsf(at(self, x, y + 1) - at(self, x, y - 1)));
}

static double measure_sharpness(const plane *self) {
    double first = 0, second = 0;
    for (int32_t y = 1; y < self->height - 1; y++)
        for (int32_t x = 1; x < self->width - 1; x++) {
            if (gradient(self, x, y) <= DETAIL_MIN)
                continue;
            float here = 2 * at(self, x, y), left = at(self, x - 1, y), right = at(self, x + 1, y);
            float above = at(self, x, y - 1), below = at(self, x, y + 1);
            first += 0.25f * ((right - left) * (right - left) + (below - above) * (below - above));
            second += (left + right - here) * (left + right - here) + (above + below - here) * (above + below - here);
        }
    return first > 0 ? second / first : 0;
}

/* Count an edge between the second and the third of four pixels, if there is one and it is steepest there. */
static void count_step(float a, float b, float c, float d, uint32_t *edges, uint32_t *hard) {
    float step = fabsf(c - b), before = fabsf(b - a), after = fabsf(d - c);
    if (step < STRONG_STEP || before > step || after > step)
        return;
    ++*edges;
    *hard += before < step / 8 && after < step / 8;
}

static double measure_hard_share(const plane *self) {
    uint32_t edges = 0, hard = 0;
    for (int32_t y = 1; y < self->height - 2; y++)
        for (int32_t x = 1; x < self->width - 2; x++) {
            count_step(at(self, x - 1, y), at(self, x, y), at(self, x + 1, y), at(self, x + 2, y), &edges, &hard);
            count_step(at(self, x, y - 1), at(self, x, y), at(self, x, y + 1), at(self, x, y + 2), &edges, &hard);
        }
    return edges > 0 ? (double)hard / edges : 0;
}

/* Into scratch: 2 at strong edges, 1 at other detail, 0 in quiet places. */
static void map_edges(const plane *self) {
    memset(self->scratch, 0, (size_t)self->width * (size_t)self->height * sizeof(float));
    for (int32_t y = 1; y < self->height - 1; y++)
        for (int32_t x = 1; x < self->width - 1; x++) {
            float steep = gradient(self, x, y);
            self->scratch[(size_t)y * (size_t)self->width + (size_t)x] = steep > STRONG_MIN  ? 2.0f
                                                                         : steep > QUIET_MAX ? 1.0f
                                                                                             : 0.0f;
        }
}

static bool is_away(const float *place, int32_t width) {
    bool is_quiet = true;
    for (int32_t dy = -AWAY_PX; dy <= AWAY_PX && is_quiet; dy++)
        for (int32_t dx = -AWAY_PX; dx <= AWAY_PX; dx++)
            is_quiet &= place[dy * width + dx] == 0;
    return is_quiet;
}

static bool is_beside(const float *place, int32_t width) {
    bool is_found = false;
    for (int32_t k = -BESIDE_PX; k <= BESIDE_PX && !is_found; k++)
        is_found = place[k] == 2 || place[k * width] == 2;
    return is_found;
}

static void measure_quiet(const plane *self, damage_measures *measures) {
    double sums[2] = {0, 0}, counts[2] = {0, 0}, flat = 0; /* [1]: beside strong edges */
    map_edges(self);
    for (int32_t y = MARGIN_PX; y < self->height - MARGIN_PX; y++)
        for (int32_t x = MARGIN_PX; x < self->width - MARGIN_PX; x++) {
            const float *place = self->scratch + (size_t)y * (size_t)self->width + (size_t)x;
            if (*place != 0 || !is_away(place, self->width))
                continue;
            float second = fabsf(4 * at(self, x, y) - at(self, x - 1, y) - at(self, x + 1, y) - at(self, x, y - 1) -
                                 at(self, x, y + 1));
            int beside = is_beside(place, self->width);
            sums[beside] += second;
            counts[beside]++;
            flat += beside && second < FLAT_MAX;
        }
    double elsewhere = counts[0] > 0 ? sums[0] / counts[0] : 0;
    measures->ringing = counts[1] > 0 ? sums[1] / counts[1] : 0;
    measures->ringing_more = measures->ringing - elsewhere;
    measures->flat_share = counts[1] > 0 ? flat / counts[1] : 0;
}

/* ---- all together ---- */

static int32_t smaller(int32_t a, int32_t b) {
    return a < b ? a : b;
}

swin2sr_status damage_measure(const rows_kind *kind, const uint8_t *rows, size_t stride_bytes, int32_t width_px,
                              int32_t height_px, damage_measures *ret_measures) {
    plane self = {.width = smaller(width_px, DAMAGE_COLUMNS_MAX), .height = smaller(height_px, DAMAGE_ROWS_MAX)};
    damage_measures measures = {.pixels = (double)self.width * self.height};
    *ret_measures = measures;
    if (self.width < SIDE_MIN || self.height < SIDE_MIN)
        return SWIN2SR_OK;
    size_t count = (size_t)self.width * (size_t)self.height;
    self.light = malloc(2 * count * sizeof(float));
    if (self.light == NULL)
        return SWIN2SR_NOMEM;
    self.scratch = self.light + count;
    take_light(&self, kind, rows, stride_bytes, width_px);
    measures.jpeg_blocks = measure_blocks(&self, &jpeg_test);
    measures.webp_blocks = measure_blocks(&self, &webp_test);
    measures.sharpness = measure_sharpness(&self);
    measures.hard_share = measure_hard_share(&self);
    measure_quiet(&self, &measures);
    free(self.light);
    *ret_measures = measures;
    return SWIN2SR_OK;
}

/* ---- the decision ---- */

choice_reason damage_by_header(const probe_info *header) {
    if (header->format == FORMAT_JPEG)
        return header->quality >= QUALITY_MIN && !header->is_subsampled ? CHOICE_UNDAMAGED : CHOICE_QUALITY;
    return header->format == FORMAT_GIF || header->is_lossy ? CHOICE_LOSSY : CHOICE_UNDAMAGED;
}

#define MEASURE(name) offsetof(damage_measures, name)

/* The range of each measure in undamaged pictures, in the order in which reasons are given. */
static const struct {
    size_t measure;
    double low, high;
    choice_reason reason;
} limits[] = {
    {MEASURE(pixels), 9000, HUGE_VAL, CHOICE_SMALL},        /* 95 x 95 */
    {MEASURE(hard_share), 0, 0.24, CHOICE_JAGGED},          /* upright edges are hard in good pictures too */
    {MEASURE(jpeg_blocks), 0, 4.2, CHOICE_BLOCKS},          /* by chance, the best of 64 offsets has 2 to 3 */
    {MEASURE(webp_blocks), 0, 3.4, CHOICE_BLOCKS},          /* of 16 offsets, 1 to 3 */
    {MEASURE(sharpness), 1.65, HUGE_VAL, CHOICE_SOFT},      /* good pictures have about 3, text 5 */
    {MEASURE(sharpness), 0, 6.5, CHOICE_JAGGED},            /* pixels that do not know of each other */
    {MEASURE(ringing), 0, 0.6, CHOICE_NOISE},               /* levels */
    {MEASURE(ringing_more), -HUGE_VAL, 0.21, CHOICE_NOISE}, /* levels */
    {MEASURE(flat_share), 0.5, 1, CHOICE_NOISE},            /* drawings have nearly 1, photographs 0 */
};

choice_reason damage_by_measures(const damage_measures *measures) {
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        double value;
        memcpy(&value, (const char *)measures + limits[i].measure, sizeof(value));
        if (!(value >= limits[i].low && value <= limits[i].high))
            return limits[i].reason;
    }
    return CHOICE_UNDAMAGED;
}
