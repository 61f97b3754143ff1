/* SPDX-License-Identifier: Apache-2.0
 * enlarge/ensemble.c - eight runs over one picture in memory, and their mean (stage 6 of 9, engine).
 * A turn swaps x and y or not, then mirrors x or not, then mirrors y or not. The same rule says which pixel of the
 * picture goes into the network, and where a pixel that comes out of it belongs. */
#include "enlarge/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/error.h"

typedef struct turn {
    bool swaps, mirrors_x, mirrors_y;
} turn;

struct ensemble {
    swin2sr_model *model;         /* borrowed until the last row */
    swin2sr_options options, run; /* of the caller; of a stream */
    swin2sr_plan plan;
    int32_t width_px, height_px, scale, channels;
    size_t pixel_bytes; /* of the input */
    int32_t taken_rows;
    uint8_t *picture; /* [height][width] */
    uint8_t *row;     /* of a turned picture, and of the output */
    float *sums;      /* [height * scale][width * scale][channels] */
    int index;        /* of the turn at work */
    swin2sr_on_rows on_rows;
    void *context;
};

static turn turn_of(int index) {
    return (turn){.swaps = index & 4, .mirrors_x = index & 1, .mirrors_y = index & 2};
}

/* Where a pixel of a turned picture is in one of width x height pixels, as its number from the upper left. */
static size_t place_of(turn by, int32_t width, int32_t height, int32_t x, int32_t y) {
    int32_t across = by.swaps ? y : x, down = by.swaps ? x : y;
    across = by.mirrors_x ? width - 1 - across : across;
    down = by.mirrors_y ? height - 1 - down : down;
    return (size_t)down * (size_t)width + (size_t)across;
}

static bool is_float(swin2sr_pixel pixel) {
    return pixel == SWIN2SR_PIXEL_RGBF32 || pixel == SWIN2SR_PIXEL_GREYF32;
}

static int32_t channels_of(swin2sr_pixel pixel) {
    return pixel == SWIN2SR_PIXEL_GREY8 || pixel == SWIN2SR_PIXEL_GREYF32 ? 1 : 3;
}

/* ---- memory ---- */

/* Of picture, row and sums. */
static double held_bytes(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                         int32_t height_px) {
    double scale = swin2sr_model_get_info(model)->scale, longer = width_px > height_px ? width_px : height_px;
    double out_pixel = channels_of(options->output_pixel) * sizeof(float);
    return (double)width_px * height_px *
               ((double)swin2sr_pixel_bytes(options->input_pixel) + scale * scale * out_pixel) +
           longer * scale * out_pixel;
}

static swin2sr_options run_options(const swin2sr_options *options, double held) {
    swin2sr_options run = *options;
    run.output_pixel = channels_of(options->output_pixel) == 1 ? SWIN2SR_PIXEL_GREYF32 : SWIN2SR_PIXEL_RGBF32;
    run.on_aux_rows = NULL;
    if (options->memory_bytes > 0)
        run.memory_bytes = (double)options->memory_bytes > held ? options->memory_bytes - (size_t)held : 1;
    return run;
}

static swin2sr_status refuse(swin2sr_error *reterr, double needed, double limit, const char *of) {
    return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE,
                              "the mean of %d turns needs %.0f MiB of memory for the whole picture, and %.0f MiB %s",
                              ENSEMBLE_TURNS, needed / 1048576, limit / 1048576, of);
}

swin2sr_status ensemble_plan(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                             int32_t height_px, swin2sr_plan *ret_plan, swin2sr_error *reterr) {
    double held = held_bytes(model, options, width_px, height_px), limit = (double)options->memory_bytes;
    const swin2sr_options run = run_options(options, held);
    swin2sr_plan upright, turned;
    if (limit > 0 && held >= limit)
        return refuse(reterr, held, limit, "are allowed");
    swin2sr_status status = swin2sr_stream_plan(model, &run, width_px, height_px, &upright, reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr_stream_plan(model, &run, height_px, width_px, &turned, reterr);
    if (status == SWIN2SR_TOO_LARGE && limit > 0)
        return refuse(reterr, held, limit, "are allowed, which leaves too little for the network");
    if (status != SWIN2SR_OK)
        return status;
    *ret_plan = turned.memory_bytes > upright.memory_bytes ? turned : upright;
    ret_plan->memory_bytes += (size_t)held;
    ret_plan->gmac = ENSEMBLE_TURNS / 2 * (upright.gmac + turned.gmac);
    ret_plan->latency_rows = height_px;
    return SWIN2SR_OK;
}

static swin2sr_status check_free(double needed, swin2sr_error *reterr) {
    swin2sr__memory_files files;
    swin2sr__memory_use use;
    swin2sr__memory_open(&files, "");
    swin2sr__memory_read(&files, &use);
    swin2sr__memory_close(&files);
    double left = use.limit_bytes > use.used_bytes ? (double)(use.limit_bytes - use.used_bytes) : 0;
    return use.limit_bytes == 0 || needed < left ? SWIN2SR_OK : refuse(reterr, needed, left, "are free");
}

swin2sr_status ensemble_open(swin2sr_model *model, const swin2sr_options *options, int32_t width_px, int32_t height_px,
                             swin2sr_on_rows on_rows, void *context, ensemble **ret_ensemble, swin2sr_error *reterr) {
    swin2sr_plan plan;
    swin2sr_status status = ensemble_plan(model, options, width_px, height_px, &plan, reterr);
    if (status == SWIN2SR_OK)
        status = check_free((double)plan.memory_bytes, reterr);
    ensemble *self = status == SWIN2SR_OK ? malloc(sizeof(*self)) : NULL;
    if (status != SWIN2SR_OK)
        return status;
    if (self == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the mean of %d turns", ENSEMBLE_TURNS);
    *self = (ensemble){.model = model,
                       .options = *options,
                       .run = run_options(options, held_bytes(model, options, width_px, height_px)),
                       .plan = plan,
                       .width_px = width_px,
                       .height_px = height_px,
                       .scale = swin2sr_model_get_info(model)->scale,
                       .channels = channels_of(options->output_pixel),
                       .pixel_bytes = swin2sr_pixel_bytes(options->input_pixel),
                       .on_rows = on_rows,
                       .context = context};
    size_t pixels = (size_t)width_px * (size_t)height_px, scale = (size_t)self->scale;
    size_t longer = (size_t)(width_px > height_px ? width_px : height_px);
    self->picture = malloc(pixels * self->pixel_bytes);
    self->row = malloc(longer * scale * (size_t)self->channels * sizeof(float));
    self->sums = calloc(pixels * scale * scale, (size_t)self->channels * sizeof(float));
    if (self->picture == NULL || self->row == NULL || self->sums == NULL) {
        ensemble_close(self);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the mean of %d turns", ENSEMBLE_TURNS);
    }
    *ret_ensemble = self;
    return SWIN2SR_OK;
}

void ensemble_close(ensemble *self) {
    if (self == NULL)
        return;
    free(self->picture);
    free(self->row);
    free(self->sums);
    free(self);
}

const swin2sr_plan *ensemble_get_plan(const ensemble *self) {
    return &self->plan;
}

/* ---- a turn ---- */

static bool on_progress(void *context, double done) {
    ensemble *self = context;
    double all = (self->index + done) / ENSEMBLE_TURNS;
    return !self->options.on_progress || self->options.on_progress(self->options.progress_context, all);
}

static swin2sr_status on_turned_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    ensemble *self = context;
    turn by = turn_of(self->index);
    int32_t width = self->width_px * self->scale, height = self->height_px * self->scale;
    for (int32_t i = 0; i < n; i++) {
        const float *from = (const float *)(const void *)((const char *)rows + (size_t)i * stride_bytes);
        for (int32_t x = 0; x < (by.swaps ? height : width); x++, from += self->channels) {
            float *sum = self->sums + place_of(by, width, height, x, y + i) * (size_t)self->channels;
            for (int32_t c = 0; c < self->channels; c++)
                sum[c] += from[c];
        }
    }
    return SWIN2SR_OK;
}

static swin2sr_status run_turn(ensemble *self) {
    turn by = turn_of(self->index);
    int32_t width = by.swaps ? self->height_px : self->width_px, height = by.swaps ? self->width_px : self->height_px;
    swin2sr_options run = self->run;
    swin2sr_stream *stream = NULL;
    run.on_progress = on_progress;
    run.progress_context = self;
    swin2sr_status status = swin2sr_stream_open(self->model, &run, width, height, on_turned_rows, self, &stream, NULL);
    for (int32_t y = 0; y < height && status == SWIN2SR_OK; y++) {
        for (int32_t x = 0; x < width; x++)
            memcpy(self->row + (size_t)x * self->pixel_bytes,
                   self->picture + place_of(by, self->width_px, self->height_px, x, y) * self->pixel_bytes,
                   self->pixel_bytes);
        status = swin2sr_stream_push(stream, self->row, (size_t)width * self->pixel_bytes, 1);
    }
    swin2sr_stream_close(stream);
    return status;
}

/* ---- the mean ---- */

static swin2sr_status give_rows(ensemble *self) {
    size_t samples = (size_t)self->width_px * (size_t)self->scale * (size_t)self->channels;
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t y = 0; y < self->height_px * self->scale && status == SWIN2SR_OK; y++) {
        float *sums = self->sums + (size_t)y * samples;
        for (size_t i = 0; i < samples; i++) {
            float mean = sums[i] / ENSEMBLE_TURNS;
            sums[i] = mean;
            if (!is_float(self->options.output_pixel))
                self->row[i] = (uint8_t)(fminf(fmaxf(mean, 0), 1) * 255 + 0.5f);
        }
        bool is_given_as_is = is_float(self->options.output_pixel);
        status = self->on_rows(self->context, y, 1, is_given_as_is ? (void *)sums : self->row,
                               samples * (is_given_as_is ? sizeof(float) : 1));
    }
    return status;
}

swin2sr_status ensemble_push(ensemble *self, const void *rows, size_t stride_bytes, int32_t n) {
    size_t row_bytes = (size_t)self->width_px * self->pixel_bytes;
    if (n < 0 || n > self->height_px - self->taken_rows)
        return SWIN2SR_INVALID;
    for (int32_t i = 0; i < n; i++)
        memcpy(self->picture + (size_t)self->taken_rows++ * row_bytes, (const char *)rows + (size_t)i * stride_bytes,
               row_bytes);
    if (self->taken_rows < self->height_px || n == 0)
        return SWIN2SR_OK;
    swin2sr_status status = SWIN2SR_OK;
    for (self->index = 0; self->index < ENSEMBLE_TURNS && status == SWIN2SR_OK; self->index++)
        status = run_turn(self);
    return status == SWIN2SR_OK ? give_rows(self) : status;
}
