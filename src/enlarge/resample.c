/* SPDX-License-Identifier: Apache-2.0
 * enlarge/resample.c - bring enlarged rows to another size (stage 7 of 9, assemble).
 * Each row is turned into light and filtered across when it arrives; each row of the result is the weighted sum of some
 * of these. Weights of one pixel add up to one; those of samples outside of the image go to the others. */
#include "enlarge/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LANCZOS_REACH 3.0
#define CUBIC_REACH 2.0
#define LIGHT_STEPS 65536 /* of the table from light to 8 bits: a step of light is at most 1/19 of a step of a sample */

/* The samples that one pixel of the result is made of, in one direction. */
typedef struct axis {
    int32_t in_px, out_px;
    double step, reach; /* of the input per pixel of the result; of the filter, in input pixels */
    int32_t taps;       /* at most */
} axis;

struct resample {
    rows_kind kind;
    axis across, down;
    bool is_linear;
    int32_t *starts;   /* [out width] */
    float *weights;    /* [out width][across.taps] */
    float *column;     /* [down.taps]: weights of the row that is made */
    float *line;       /* [in width][channels]: a row as light */
    float *ring;       /* [down.taps + 1][out width][channels]; row y is at y % (down.taps + 1) */
    float *sum;        /* [out width][channels]: of the part */
    uint8_t *row;      /* [out width][channels] samples, of the part */
    float *light;      /* [256 or 65536]: by sample */
    uint8_t *samples;  /* [LIGHT_STEPS + 1]: 8-bit samples by light */
    changes_area part; /* of the result, which is made */
    int32_t pushed, made;
};

static double sinc(double x) {
    return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
}

static double lanczos(double x) {
    return fabs(x) < LANCZOS_REACH ? sinc(x) * sinc(x / LANCZOS_REACH) : 0;
}

static double cubic(double x) {
    x = fabs(x);
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < CUBIC_REACH ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static axis axis_of(int32_t in_px, int32_t out_px) {
    axis self = {.in_px = in_px, .out_px = out_px, .step = (double)in_px / out_px};
    self.reach = self.step > 1 ? LANCZOS_REACH * self.step : CUBIC_REACH;
    self.taps = (int32_t)ceil(self.reach) * 2 + 1;
    if (self.taps > in_px)
        self.taps = in_px;
    return self;
}

/* The first sample of pixel i. */
static int32_t axis_start(const axis *self, int32_t i) {
    double from = (i + 0.5) * self->step - self->reach;
    int32_t start = from > 0 ? (int32_t)from : 0;
    return start + self->taps > self->in_px ? self->in_px - self->taps : start;
}

/* Weights of pixel i for `taps` samples from start on. */
static void axis_weights(const axis *self, int32_t i, int32_t start, float *ret_weights) {
    double centre = (i + 0.5) * self->step, width = self->step > 1 ? self->step : 1, sum = 0;
    for (int32_t k = 0; k < self->taps; k++) {
        double x = (start + k + 0.5 - centre) / width, weight = self->step > 1 ? lanczos(x) : cubic(x);
        ret_weights[k] = (float)weight;
        sum += weight;
    }
    for (int32_t k = 0; k < self->taps; k++)
        ret_weights[k] = (float)(ret_weights[k] / sum);
}

static float light_of(float sample) {
    return sample <= 0.04045f ? sample / 12.92f : powf((sample + 0.055f) / 1.055f, 2.4f);
}

static float sample_of(float light) {
    return light <= 0.0031308f ? light * 12.92f : 1.055f * powf(light, 1 / 2.4f) - 0.055f;
}

static void make_tables(resample *self) {
    int32_t most = self->kind.sample_bytes == 1 ? 255 : 65535;
    for (int32_t i = 0; i <= most; i++)
        self->light[i] = self->is_linear ? light_of((float)i / (float)most) : (float)i / (float)most;
    for (int32_t i = 0; self->samples != NULL && i <= LIGHT_STEPS; i++)
        self->samples[i] = (uint8_t)(sample_of((float)i / LIGHT_STEPS) * 255 + 0.5f);
    for (int32_t x = 0; x < self->across.out_px; x++) {
        self->starts[x] = axis_start(&self->across, x);
        axis_weights(&self->across, x, self->starts[x], self->weights + (size_t)x * (size_t)self->across.taps);
    }
}

swin2sr_status resample_open(const rows_kind *kind, int32_t in_width_px, int32_t in_height_px, int32_t out_width_px,
                             int32_t out_height_px, resample **ret_resample) {
    resample *self = calloc(1, sizeof *self);
    if (self == NULL)
        return SWIN2SR_NOMEM;
    size_t channels = (size_t)kind->channels, width = (size_t)out_width_px * channels;
    self->kind = *kind;
    self->across = axis_of(in_width_px, out_width_px);
    self->down = axis_of(in_height_px, out_height_px);
    self->is_linear = self->across.step > 1 || self->down.step > 1;
    self->starts = malloc((size_t)out_width_px * sizeof *self->starts);
    self->weights = malloc((size_t)out_width_px * (size_t)self->across.taps * sizeof *self->weights);
    self->column = malloc((size_t)self->down.taps * sizeof *self->column);
    self->line = malloc((size_t)in_width_px * channels * sizeof *self->line);
    self->ring = malloc((size_t)(self->down.taps + 1) * width * sizeof *self->ring);
    self->sum = malloc(width * sizeof *self->sum);
    self->row = malloc(width * (size_t)kind->sample_bytes);
    self->light = malloc((kind->sample_bytes == 1 ? 256 : 65536) * sizeof *self->light);
    bool needs_samples = self->is_linear && kind->sample_bytes == 1;
    if (needs_samples)
        self->samples = malloc(LIGHT_STEPS + 1);
    if (!self->starts || !self->weights || !self->column || !self->line || !self->ring || !self->sum || !self->row ||
        !self->light || (needs_samples && !self->samples)) {
        resample_close(self);
        return SWIN2SR_NOMEM;
    }
    make_tables(self);
    resample_begin(self, (changes_area){0, 0, out_width_px, out_height_px});
    *ret_resample = self;
    return SWIN2SR_OK;
}

int32_t resample_begin(resample *self, changes_area part) {
    self->part = part;
    self->made = part.y;
    self->pushed = axis_start(&self->down, part.y);
    return self->pushed;
}

/* The pixels of the result whose filter reaches from..to of the input, along a side. */
static void axis_reach(const axis *self, int32_t *from, int32_t *length) {
    double first = (*from - self->reach) / self->step - 1, last = (*from + *length + self->reach) / self->step + 1;
    *from = first > 0 ? (int32_t)first : 0;
    *length = (last < self->out_px ? (int32_t)last : self->out_px) - *from;
}

changes_area resample_reach(const resample *self, changes_area part) {
    if (part.width_px < 1 || part.height_px < 1)
        return (changes_area){0};
    axis_reach(&self->across, &part.x, &part.width_px);
    axis_reach(&self->down, &part.y, &part.height_px);
    return part;
}

void resample_close(resample *self) {
    if (self == NULL)
        return;
    free(self->starts);
    free(self->weights);
    free(self->column);
    free(self->line);
    free(self->ring);
    free(self->sum);
    free(self->row);
    free(self->light);
    free(self->samples);
    free(self);
}

static uint32_t sample_at(const resample *self, const uint8_t *row, size_t i) {
    return self->kind.sample_bytes == 1 ? row[i] : ((const uint16_t *)(const void *)row)[i];
}

/* Of a row, what the part needs, as light, colours multiplied by alpha. */
static void read_line(resample *self, const uint8_t *row) {
    int32_t first = self->starts[self->part.x];
    int32_t last = self->starts[self->part.x + self->part.width_px - 1] + self->across.taps;
    size_t channels = (size_t)self->kind.channels, colours = (size_t)self->kind.colours, at = (size_t)first * channels;
    float most = self->kind.sample_bytes == 1 ? 255 : 65535;
    for (int32_t x = first; x < last; x++, at += channels) {
        float alpha = channels > colours ? (float)sample_at(self, row, at + colours) / most : 1;
        for (size_t c = 0; c < colours; c++)
            self->line[at + c] = self->light[sample_at(self, row, at + c)] * alpha;
        if (channels > colours)
            self->line[at + colours] = alpha;
    }
}

/* Samples of the row of the result before those of the part. */
static size_t part_at(const resample *self) {
    return (size_t)self->part.x * (size_t)self->kind.channels;
}

static float *ring_row(const resample *self, int32_t y) {
    size_t width = (size_t)self->across.out_px * (size_t)self->kind.channels;
    return self->ring + (size_t)(y % (self->down.taps + 1)) * width;
}

/* Filter the line across. `channels` is a constant at each call, so that the compiler unrolls the loop. */
static inline __attribute__((always_inline)) void filter_across(const resample *self, size_t channels, float *to) {
    size_t taps = (size_t)self->across.taps;
    to += part_at(self);
    for (int32_t x = self->part.x; x < self->part.x + self->part.width_px; x++, to += channels) {
        const float *from = self->line + (size_t)self->starts[x] * channels,
                    *weights = self->weights + (size_t)x * taps;
        float sums[4] = {0};
        for (size_t k = 0; k < taps; k++, from += channels)
            for (size_t c = 0; c < channels; c++)
                sums[c] += from[c] * weights[k];
        for (size_t c = 0; c < channels; c++)
            to[c] = sums[c];
    }
}

void resample_push(resample *self, const uint8_t *row) {
    read_line(self, row);
    float *to = ring_row(self, self->pushed++);
    switch (self->kind.channels) {
    case 1:
        filter_across(self, 1, to);
        break;
    case 2:
        filter_across(self, 2, to);
        break;
    case 3:
        filter_across(self, 3, to);
        break;
    default:
        filter_across(self, 4, to);
    }
}

static void put_sample(resample *self, size_t i, float light, bool is_alpha) {
    float bounded = light < 0 ? 0 : light > 1 ? 1 : light;
    if (self->samples != NULL && !is_alpha) {
        self->row[i] = self->samples[(uint32_t)(bounded * LIGHT_STEPS + 0.5f)];
        return;
    }
    float sample = self->is_linear && !is_alpha ? sample_of(bounded) : bounded;
    if (self->kind.sample_bytes == 1)
        self->row[i] = (uint8_t)(sample * 255 + 0.5f);
    else
        ((uint16_t *)(void *)self->row)[i] = (uint16_t)(sample * 65535 + 0.5f);
}

/* The sum as samples, colours divided by alpha. */
static void write_row(resample *self) {
    size_t channels = (size_t)self->kind.channels, colours = (size_t)self->kind.colours, at = 0;
    for (int32_t x = 0; x < self->part.width_px; x++, at += channels) {
        float alpha = channels > colours ? self->sum[at + colours] : 1;
        float times = alpha > 0 ? 1 / alpha : 0;
        for (size_t c = 0; c < colours; c++)
            put_sample(self, at + c, self->sum[at + c] * times, false);
        if (channels > colours)
            put_sample(self, at + colours, alpha, true);
    }
}

const uint8_t *resample_next(resample *self) {
    if (self->made == self->part.y + self->part.height_px)
        return NULL;
    int32_t start = axis_start(&self->down, self->made), taps = self->down.taps;
    if (start + taps > self->pushed)
        return NULL;
    size_t width = (size_t)self->part.width_px * (size_t)self->kind.channels;
    axis_weights(&self->down, self->made, start, self->column);
    memset(self->sum, 0, width * sizeof *self->sum);
    for (int32_t k = 0; k < taps; k++) {
        const float *from = ring_row(self, start + k) + part_at(self);
        float weight = self->column[k];
        for (size_t i = 0; i < width; i++)
            self->sum[i] += from[i] * weight;
    }
    write_row(self);
    self->made++;
    return self->row;
}
