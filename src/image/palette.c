/* SPDX-License-Identifier: Apache-2.0
 * image/palette.c - the colours of a GIF (stage 8 of 9).
 * Colours are counted in cells of 6 bits per channel. Boxes of cells are split where that reduces the error most (as in
 * X. Wu's quantizer), and k-means then moves their centres. Both work in OKLab (B. Ottosson, 2020).
 * A pixel is drawn as in T. Knoll's pattern dithering: sixteen candidates whose mean is its colour, sorted by lightness,
 * of which the blue noise at its place selects one. The noise is made by void and cluster (R. Ulichney, 1993). */
#include "image/palette.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_BITS 6
#define CELLS (1 << 3 * CELL_BITS)
#define EXACT_SLOTS 1024 /* a power of two, over PALETTE_MAX */
#define CANDIDATES 16
#define STRENGTH 0.8f /* of the mixing: 1 keeps the mean exactly, less is calmer */
#define MEANS_ROUNDS 6
#define NOISE_SIDE 32
#define NOISE_SIZE (NOISE_SIDE * NOISE_SIDE)
#define NO_INDEX (-1)
#define OPAQUE_FROM 128
#define PIN_DISTANCE 0.03f /* in OKLab, where black and white are 1 apart */

typedef struct cell {
    uint32_t count, sum[3];
} cell;

/* A cell that has colours, or the centre of a group. */
typedef struct spot {
    float lab[3], weight;
    uint32_t cell;
} spot;

typedef struct box {
    size_t first, count; /* of the spots */
    double error;        /* the sum of squares of distances to their mean, along the worst axis */
    int axis;
} box;

struct palette {
    cell *cells;
    int16_t *nearest;              /* [CELLS] index of the nearest colour to a cell; NO_INDEX: not known yet */
    uint32_t exact[EXACT_SLOTS];   /* colours with bit 24 set */
    int16_t exact_at[EXACT_SLOTS]; /* their indices */
    int32_t exact_count;           /* over PALETTE_MAX: more than that */
    bool has_transparent, has_partial;
    uint8_t colours[PALETTE_MAX][3];
    float labs[PALETTE_MAX][3];
    float lightness[PALETTE_MAX];
    int32_t size; /* of the colours, without the transparent one */
    int32_t key;
    uint8_t noise[NOISE_SIZE]; /* 0..CANDIDATES-1 */
};

/* ---- colour ---- */

static float linear(float value) {
    return value <= 0.04045f ? value / 12.92f : powf((value + 0.055f) / 1.055f, 2.4f);
}

/* rgb: 0..255. */
static void to_lab(const float rgb[3], float lab[3]) {
    float r = linear(rgb[0] / 255), g = linear(rgb[1] / 255), b = linear(rgb[2] / 255);
    float l = cbrtf(0.4122214708f * r + 0.5363325363f * g + 0.0514459929f * b);
    float m = cbrtf(0.2119034982f * r + 0.6806995451f * g + 0.1073969566f * b);
    float s = cbrtf(0.0883024619f * r + 0.2817188376f * g + 0.6299787005f * b);
    lab[0] = 0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s;
    lab[1] = 1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s;
    lab[2] = 0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s;
}

static float distance(const float a[3], const float b[3]) {
    float l = a[0] - b[0], u = a[1] - b[1], v = a[2] - b[2];
    return l * l + u * u + v * v;
}

static uint32_t cell_of(int32_t r, int32_t g, int32_t b) {
    return (uint32_t)(r >> 2) << 2 * CELL_BITS | (uint32_t)(g >> 2) << CELL_BITS | (uint32_t)(b >> 2);
}

/* ---- counting ---- */

swin2sr_status palette_new(palette **ret_self) {
    palette *self = calloc(1, sizeof(*self));
    if (self) {
        self->key = NO_INDEX;
        self->cells = calloc(CELLS, sizeof(*self->cells));
    }
    if (!self || !self->cells) {
        palette_free(self);
        return SWIN2SR_NOMEM;
    }
    *ret_self = self;
    return SWIN2SR_OK;
}

void palette_free(palette *self) {
    if (!self)
        return;
    free(self->cells);
    free(self->nearest);
    free(self);
}

/* The slot of a colour, or the free one where it belongs. */
static uint32_t exact_slot(const palette *self, uint32_t colour) {
    uint32_t wanted = colour | 1u << 24, slot = colour * 2654435761u >> 22;
    while (self->exact[slot] && self->exact[slot] != wanted)
        slot = (slot + 1) % EXACT_SLOTS;
    return slot;
}

static uint32_t packed(const uint8_t rgb[3]) {
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

static void count_exact(palette *self, uint32_t colour) {
    if (self->exact_count > PALETTE_MAX)
        return;
    uint32_t slot = exact_slot(self, colour);
    if (!self->exact[slot])
        self->exact_count++;
    self->exact[slot] = colour | 1u << 24;
}

/* returns false if the pixel is transparent. */
static bool take_pixel(const uint8_t *pixel, int32_t channels, uint8_t rgb[3]) {
    bool is_grey = channels < 3;
    rgb[0] = pixel[0];
    rgb[1] = pixel[is_grey ? 0 : 1];
    rgb[2] = pixel[is_grey ? 0 : 2];
    return channels % 2 == 1 || pixel[channels - 1] >= OPAQUE_FROM;
}

void palette_add(palette *self, const uint8_t *pixels, size_t count, int32_t channels, uint32_t weight) {
    uint8_t rgb[3];
    for (size_t i = 0; i < count; i++, pixels += channels) {
        if (channels % 2 == 0)
            self->has_partial |= pixels[channels - 1] > 0 && pixels[channels - 1] < 255;
        if (!take_pixel(pixels, channels, rgb)) {
            self->has_transparent = true;
            continue;
        }
        cell *to = &self->cells[cell_of(rgb[0], rgb[1], rgb[2])];
        if (weight > 1)
            count_exact(self, packed(rgb));
        if (to->count > UINT32_MAX / 512) /* the shares within a cell are known well enough */
            continue;
        to->count += weight;
        for (int c = 0; c < 3; c++)
            to->sum[c] += rgb[c] * weight;
    }
}

/* ---- choosing ---- */

/* The axis along which the spots of a box are spread most. */
static void measure(const spot *spots, box *self) {
    double sum[3] = {0}, square[3] = {0}, weight = 0;
    for (size_t i = self->first; i < self->first + self->count; i++) {
        weight += spots[i].weight;
        for (int c = 0; c < 3; c++) {
            sum[c] += (double)spots[i].weight * spots[i].lab[c];
            square[c] += (double)spots[i].weight * spots[i].lab[c] * spots[i].lab[c];
        }
    }
    self->error = 0;
    for (int c = 0; c < 3 && self->count > 1; c++) {
        double error = square[c] - sum[c] * sum[c] / weight;
        if (error > self->error) {
            self->error = error;
            self->axis = c;
        }
    }
}

static int by_axis(const void *a, const void *b, void *axis) {
    float left = ((const spot *)a)->lab[*(int *)axis], right = ((const spot *)b)->lab[*(int *)axis];
    return (left > right) - (left < right);
}

/* Split a box where the two parts have the smallest error together. */
static void split(spot *spots, box *self, box *ret_other) {
    spot *own = spots + self->first;
    qsort_r(own, self->count, sizeof(*own), by_axis, &self->axis);
    double all = 0, all_weight = 0, part = 0, weight = 0, best = -1;
    size_t at = 1;
    for (size_t i = 0; i < self->count; i++) {
        all += (double)own[i].weight * own[i].lab[self->axis];
        all_weight += own[i].weight;
    }
    for (size_t i = 0; i + 1 < self->count; i++) {
        part += (double)own[i].weight * own[i].lab[self->axis];
        weight += own[i].weight;
        double gain = part * part / weight + (all - part) * (all - part) / (all_weight - weight);
        if (gain > best) {
            best = gain;
            at = i + 1;
        }
    }
    *ret_other = (box){.first = self->first + at, .count = self->count - at};
    self->count = at;
    measure(spots, self);
    measure(spots, ret_other);
}

/* Divide the spots among at most limit boxes.  returns their number. */
static int32_t cut(spot *spots, size_t count, int32_t limit, box *boxes) {
    int32_t boxes_count = 1;
    boxes[0] = (box){.count = count};
    measure(spots, &boxes[0]);
    while (boxes_count < limit) {
        int32_t worst = 0;
        for (int32_t i = 1; i < boxes_count; i++)
            worst = boxes[i].error > boxes[worst].error ? i : worst;
        if (boxes[worst].error <= 0)
            break;
        split(spots, &boxes[worst], &boxes[boxes_count++]);
    }
    return boxes_count;
}

static int32_t nearest_to(const palette *self, const float lab[3]) {
    int32_t best = 0;
    float least = INFINITY;
    for (int32_t i = 0; i < self->size; i++) {
        float far = distance(lab, self->labs[i]);
        if (far < least) {
            least = far;
            best = i;
        }
    }
    return best;
}

/* Make colour i the mean of colours, of which sum has red, green, blue and the weight. */
static void set_colour(palette *self, int32_t i, const double sum[4]) {
    float rgb[3];
    for (int c = 0; c < 3; c++)
        rgb[c] = (float)(self->colours[i][c] = (uint8_t)(sum[c] / sum[3] + 0.5));
    to_lab(rgb, self->labs[i]);
    self->lightness[i] = self->labs[i][0];
}

static void add_spot(const palette *self, const spot *from, double sum[4]) {
    const cell *colours = &self->cells[from->cell];
    for (int c = 0; c < 3; c++)
        sum[c] += (double)from->weight * colours->sum[c] / colours->count;
    sum[3] += from->weight;
}

static void move_to_means(palette *self, const spot *spots, size_t count) {
    for (int round = 0; round < MEANS_ROUNDS; round++) {
        double sums[PALETTE_MAX][4] = {0};
        for (size_t i = 0; i < count; i++)
            add_spot(self, &spots[i], sums[nearest_to(self, spots[i].lab)]);
        for (int32_t i = 0; i < self->size; i++)
            if (sums[i][3] > 0)
                set_colour(self, i, sums[i]);
    }
}

static void choose_groups(palette *self, spot *spots, int32_t limit) {
    size_t count = 0;
    box boxes[PALETTE_MAX];
    for (uint32_t i = 0; i < CELLS; i++) {
        const cell *from = &self->cells[i];
        float rgb[3];
        if (!from->count)
            continue;
        for (int c = 0; c < 3; c++)
            rgb[c] = (float)from->sum[c] / (float)from->count;
        /* less than the count: small parts of a picture keep colours of their own */
        spots[count] = (spot){.weight = powf((float)from->count, 0.75f), .cell = i};
        to_lab(rgb, spots[count++].lab);
    }
    if (count == 0) { /* nothing was opaque */
        self->size = 1;
        set_colour(self, 0, (const double[]){0, 0, 0, 1});
        return;
    }
    self->size = cut(spots, count, limit, boxes);
    for (int32_t i = 0; i < self->size; i++) {
        double sum[4] = {0};
        for (size_t k = boxes[i].first; k < boxes[i].first + boxes[i].count; k++)
            add_spot(self, &spots[k], sum);
        set_colour(self, i, sum);
    }
    move_to_means(self, spots, count);
}

/* Where a counted colour is nearly one of the palette, make it so: areas of that colour need no mixing then. */
static void pin_exact(palette *self) {
    bool is_pinned[PALETTE_MAX] = {false};
    for (uint32_t slot = 0; slot < EXACT_SLOTS; slot++) {
        if (!self->exact[slot])
            continue;
        uint32_t colour = self->exact[slot];
        const double sum[4] = {colour >> 16 & 255, colour >> 8 & 255, colour & 255, 1};
        const float rgb[3] = {(float)sum[0], (float)sum[1], (float)sum[2]};
        float lab[3];
        to_lab(rgb, lab);
        int32_t i = nearest_to(self, lab);
        if (!is_pinned[i] && distance(lab, self->labs[i]) < PIN_DISTANCE * PIN_DISTANCE)
            set_colour(self, i, sum);
        is_pinned[i] = true;
    }
}

static void choose_exact(palette *self) {
    for (uint32_t slot = 0; slot < EXACT_SLOTS; slot++) {
        if (!self->exact[slot])
            continue;
        uint32_t colour = self->exact[slot];
        const double sum[4] = {colour >> 16 & 255, colour >> 8 & 255, colour & 255, 1};
        self->exact_at[slot] = (int16_t)self->size;
        set_colour(self, self->size++, sum);
    }
}

/* ---- blue noise ---- */

typedef struct noise_field {
    bool is_set[NOISE_SIZE];
    float energy[NOISE_SIZE];
} noise_field;

static void toggle(noise_field *self, int at, bool is_set) {
    for (int y = 0; y < NOISE_SIDE; y++)
        for (int x = 0; x < NOISE_SIDE; x++) {
            int right = abs(x - at % NOISE_SIDE), down = abs(y - at / NOISE_SIDE);
            right = right < NOISE_SIDE / 2 ? right : NOISE_SIDE - right;
            down = down < NOISE_SIDE / 2 ? down : NOISE_SIDE - down;
            float energy = expf(-(float)(right * right + down * down) / (2 * 1.5f * 1.5f));
            self->energy[y * NOISE_SIDE + x] += is_set ? energy : -energy;
        }
    self->is_set[at] = is_set;
}

/* The point with most energy of those that are set, or with least of those that are not. */
static int extreme(const noise_field *self, bool is_set) {
    int best = -1;
    for (int i = 0; i < NOISE_SIZE; i++)
        if (self->is_set[i] == is_set &&
            (best < 0 || (is_set ? self->energy[i] > self->energy[best] : self->energy[i] < self->energy[best])))
            best = i;
    return best;
}

static void make_noise(palette *self) {
    noise_field start = {.is_set = {false}}, field;
    const int ones = NOISE_SIZE / 10;
    uint32_t seed = 1;
    for (int count = 0; count < ones;) {
        seed = seed * 1664525 + 1013904223;
        int at = (int)(seed >> 22);
        if (start.is_set[at])
            continue;
        toggle(&start, at, true);
        count++;
    }
    for (int last = -1;;) { /* move points from the tightest clusters to the largest voids */
        int tight = extreme(&start, true);
        toggle(&start, tight, false);
        int gap = extreme(&start, false);
        toggle(&start, gap, true);
        if (gap == tight || gap == last)
            break;
        last = tight;
    }
    field = start;
    for (int rank = ones - 1; rank >= 0; rank--) {
        int at = extreme(&field, true);
        toggle(&field, at, false);
        self->noise[at] = (uint8_t)(rank * CANDIDATES / NOISE_SIZE);
    }
    for (int rank = ones; rank < NOISE_SIZE; rank++) {
        int at = extreme(&start, false);
        toggle(&start, at, true);
        self->noise[at] = (uint8_t)(rank * CANDIDATES / NOISE_SIZE);
    }
}

swin2sr_status palette_choose(palette *self, bool has_key, bool is_open) {
    has_key |= self->has_transparent;
    int32_t limit = PALETTE_MAX - has_key;
    if (self->exact_count <= limit && !is_open) {
        choose_exact(self);
    } else {
        spot *spots = malloc(CELLS * sizeof(*spots));
        self->nearest = malloc(CELLS * sizeof(*self->nearest));
        if (!spots || !self->nearest) {
            free(spots);
            return SWIN2SR_NOMEM;
        }
        memset(self->nearest, 0xff, CELLS * sizeof(*self->nearest));
        choose_groups(self, spots, limit);
        free(spots);
        if (self->exact_count <= limit)
            pin_exact(self);
        make_noise(self);
    }
    self->key = has_key ? self->size : NO_INDEX;
    if (has_key)
        memset(self->colours[self->key], 0, sizeof(self->colours[0]));
    return SWIN2SR_OK;
}

int32_t palette_size(const palette *self, const uint8_t (**ret_colours)[3]) {
    *ret_colours = self->colours;
    return self->size + (self->key != NO_INDEX);
}

bool palette_has_partial_alpha(const palette *self) {
    return self->has_partial;
}

int32_t palette_key(const palette *self) {
    return self->key;
}

/* ---- drawing ---- */

static int32_t clipped(float value) {
    return value < 0 ? 0 : value > 255 ? 255 : (int32_t)(value + 0.5f);
}

static int32_t nearest_colour(palette *self, const float rgb[3]) {
    int32_t r = clipped(rgb[0]), g = clipped(rgb[1]), b = clipped(rgb[2]);
    int16_t *at = &self->nearest[cell_of(r, g, b)];
    if (*at == NO_INDEX) {
        const cell *counted = &self->cells[cell_of(r, g, b)];
        float middle[3] = {(float)(r & ~3) + 1.5f, (float)(g & ~3) + 1.5f, (float)(b & ~3) + 1.5f}, lab[3];
        for (int c = 0; c < 3 && counted->count > 0; c++)
            middle[c] = (float)counted->sum[c] / (float)counted->count;
        to_lab(middle, lab);
        *at = (int16_t)nearest_to(self, lab);
    }
    return *at;
}

static uint8_t mix(palette *self, const uint8_t rgb[3], uint8_t rank) {
    float error[3] = {0};
    uint8_t candidates[CANDIDATES];
    for (int n = 0; n < CANDIDATES; n++) {
        float wanted[3];
        for (int c = 0; c < 3; c++)
            wanted[c] = (float)rgb[c] + error[c] * STRENGTH;
        int32_t index = nearest_colour(self, wanted);
        for (int c = 0; c < 3; c++)
            error[c] += (float)rgb[c] - (float)self->colours[index][c];
        int at = n;
        for (; at > 0 && self->lightness[candidates[at - 1]] > self->lightness[index]; at--)
            candidates[at] = candidates[at - 1];
        candidates[at] = (uint8_t)index;
    }
    return candidates[rank];
}

void palette_draw(palette *self, int32_t x, int32_t y, const uint8_t *pixels, size_t count, int32_t channels,
                  uint8_t *indices) {
    const uint8_t *noise = self->noise + (size_t)(y % NOISE_SIDE) * NOISE_SIDE;
    uint8_t rgb[3];
    for (size_t i = 0; i < count; i++, pixels += channels) {
        if (!take_pixel(pixels, channels, rgb) && self->key != NO_INDEX)
            indices[i] = (uint8_t)self->key;
        else if (self->nearest)
            indices[i] = mix(self, rgb, noise[(x + (int32_t)i) % NOISE_SIDE]);
        else
            indices[i] = (uint8_t)self->exact_at[exact_slot(self, packed(rgb))];
    }
}
