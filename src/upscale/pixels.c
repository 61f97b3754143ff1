/* SPDX-License-Identifier: Apache-2.0
 * upscale/pixels.c - convert rows before and after the network, and enlarge alpha.
 * No allocation after swin2sr__pixels_new; called on the thread that pushes. */
#include "upscale/pixels.h"

#include <stdlib.h>

#include "base/alpha.h"

/* The filter of alpha needs two rows below that of an output row, and tiles without overlap return all rows of a band
 * before the next row is pushed. So the network gets its rows two later than alpha does. */
#define AHEAD_ROWS 2
#define QUEUE_ROWS (AHEAD_ROWS + 1)

struct swin2sr__pixels {
    swin2sr_pixel in, out;    /* of the caller */
    swin2sr_pixel inside_out; /* of the network */
    int32_t width_px, height_px, out_width_px;
    int32_t ahead;        /* AHEAD_ROWS, or 0 without alpha */
    int32_t taken, given; /* rows */
    size_t queue_row_bytes;
    bool is_converted_in, has_alpha;
    unsigned char *queue; /* [QUEUE_ROWS][width] of the network's pixels */
    unsigned char *row;   /* [out width] of the caller's pixels */
    swin2sr__alpha_ring alpha;
    swin2sr_on_rows on_rows, on_aux_rows;
    void *rows_context, *aux_context;
};

static bool is_grey(swin2sr_pixel pixel) {
    return pixel == SWIN2SR_PIXEL_GREY8 || pixel == SWIN2SR_PIXEL_GREYF32;
}

static bool is_float(swin2sr_pixel pixel) {
    return pixel == SWIN2SR_PIXEL_RGBF32 || pixel == SWIN2SR_PIXEL_GREYF32;
}

bool swin2sr__pixels_has_alpha(swin2sr_pixel pixel) {
    return pixel == SWIN2SR_PIXEL_RGBA8 || pixel == SWIN2SR_PIXEL_BGRA8;
}

swin2sr_pixel swin2sr__pixels_inside(swin2sr_pixel pixel, int32_t channels) {
    if ((unsigned)pixel >= SWIN2SR_PIXEL_COUNT || (channels == 1 && !is_grey(pixel)))
        return SWIN2SR_PIXEL_COUNT;
    if (channels == 1)
        return pixel;
    return is_float(pixel) ? SWIN2SR_PIXEL_RGBF32 : SWIN2SR_PIXEL_RGB8;
}

int32_t swin2sr__pixels_lag(const swin2sr__layout *layout, int32_t window_px) {
    /* the network's latency, a step that is being filled, one that is being emptied */
    return layout->plan.latency_rows + 2 * layout->engine.rows * window_px + AHEAD_ROWS;
}

static bool keeps_alpha(const swin2sr__layout *layout) {
    return swin2sr__pixels_has_alpha(layout->input_pixel) && swin2sr__pixels_has_alpha(layout->output_pixel);
}

static bool is_needed(const swin2sr__layout *layout) {
    return layout->input_pixel != layout->engine.input_pixel || layout->output_pixel != layout->engine.output_pixel;
}

size_t swin2sr__pixels_measure(const swin2sr__layout *layout, int32_t scale, int32_t window_px) {
    size_t width = (size_t)layout->margin.width_px;
    if (!is_needed(layout))
        return 0;
    size_t bytes = sizeof(swin2sr__pixels) + QUEUE_ROWS * width * swin2sr_pixel_bytes(layout->engine.input_pixel) +
                   width * (size_t)scale * swin2sr_pixel_bytes(layout->output_pixel);
    if (keeps_alpha(layout))
        bytes += swin2sr__alpha_ring_bytes(layout->margin.width_px, layout->margin.height_px,
                                           swin2sr__pixels_lag(layout, window_px));
    return bytes;
}

/* ---- rows ---- */

static void take_bytes(const swin2sr__pixels *self, const unsigned char *from, unsigned char *to) {
    size_t step = swin2sr_pixel_bytes(self->in);
    bool is_one = step == 1;
    int red = self->in == SWIN2SR_PIXEL_BGRA8 ? 2 : 0;
    for (int32_t x = 0; x < self->width_px; x++, from += step, to += 3) {
        to[0] = from[red];
        to[1] = from[is_one ? 0 : 1];
        to[2] = from[is_one ? 0 : 2 - red];
    }
}

void swin2sr__pixels_take(swin2sr__pixels *self, const void *row) {
    unsigned char *to = self->queue + (size_t)(self->taken++ % QUEUE_ROWS) * self->queue_row_bytes;
    if (self->has_alpha)
        swin2sr__alpha_ring_push(&self->alpha, (const unsigned char *)row + 3, swin2sr_pixel_bytes(self->in));
    if (!is_float(self->in)) {
        take_bytes(self, row, to);
        return;
    }
    const float *from = row;
    int32_t channels = is_grey(self->in) ? 1 : 3;
    for (int32_t i = 0; i < 3 * self->width_px; i++)
        ((float *)(void *)to)[i] = from[channels == 1 ? i / 3 : i];
}

const void *swin2sr__pixels_next(swin2sr__pixels *self) {
    int32_t ready = self->taken < self->height_px ? self->taken - self->ahead : self->height_px;
    if (self->given >= ready)
        return NULL;
    return self->queue + (size_t)(self->given++ % QUEUE_ROWS) * self->queue_row_bytes;
}

static void put_bytes(const swin2sr__pixels *self, int32_t width_px, const unsigned char *from, unsigned char *to) {
    size_t step = swin2sr_pixel_bytes(self->out);
    int red = self->out == SWIN2SR_PIXEL_BGRA8 ? 2 : 0;
    for (int32_t x = 0; x < width_px; x++, from += 3, to += step) {
        if (step == 1) {
            to[0] = (unsigned char)((from[0] + from[1] + from[2] + 1) / 3);
            continue;
        }
        to[red] = from[0];
        to[1] = from[1];
        to[2 - red] = from[2];
        to[3] = 255;
    }
}

/* One row of the network as one of the caller. */
static const void *put_row(const swin2sr__pixels *self, int32_t width_px, const void *row) {
    if (self->out == self->inside_out)
        return row;
    if (!is_float(self->out)) {
        put_bytes(self, width_px, row, self->row);
        return self->row;
    }
    const float *from = row;
    for (int32_t x = 0; x < width_px; x++, from += 3)
        ((float *)(void *)self->row)[x] = (from[0] + from[1] + from[2]) / 3;
    return self->row;
}

static swin2sr_status on_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    swin2sr__pixels *self = context;
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++) {
        const void *row = put_row(self, self->out_width_px, (const char *)rows + (size_t)i * stride_bytes);
        if (self->has_alpha)
            status = swin2sr__alpha_ring_make(&self->alpha, y + i, self->row + 3, swin2sr_pixel_bytes(self->out), 0);
        if (status == SWIN2SR_OK)
            status = self->on_rows(self->rows_context, y + i, 1, row,
                                   (size_t)self->out_width_px * swin2sr_pixel_bytes(self->out));
    }
    return status;
}

static swin2sr_status on_aux_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    swin2sr__pixels *self = context;
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++)
        status = self->on_aux_rows(self->aux_context, y + i, 1,
                                   put_row(self, self->width_px, (const char *)rows + (size_t)i * stride_bytes),
                                   (size_t)self->width_px * swin2sr_pixel_bytes(self->out));
    return status;
}

/* ---- life ---- */

static void take_callbacks(swin2sr__pixels *self, swin2sr__engine_options *engine) {
    self->on_rows = engine->on_rows;
    self->rows_context = engine->rows_context;
    self->on_aux_rows = engine->on_aux_rows;
    self->aux_context = engine->aux_context;
    engine->on_rows = on_rows;
    engine->rows_context = self;
    if (engine->on_aux_rows) {
        engine->on_aux_rows = on_aux_rows;
        engine->aux_context = self;
    }
}

swin2sr_status swin2sr__pixels_new(swin2sr__layout *layout, int32_t scale, int32_t window_px,
                                   swin2sr__pixels **ret_pixels) {
    *ret_pixels = NULL;
    if (!is_needed(layout))
        return SWIN2SR_OK;
    swin2sr__pixels *self = calloc(1, sizeof(*self));
    if (!self)
        return SWIN2SR_NOMEM;
    self->in = layout->input_pixel;
    self->out = layout->output_pixel;
    self->inside_out = layout->engine.output_pixel;
    self->width_px = layout->margin.width_px;
    self->height_px = layout->margin.height_px;
    self->out_width_px = self->width_px * scale;
    self->has_alpha = keeps_alpha(layout);
    self->ahead = self->has_alpha ? AHEAD_ROWS : 0;
    self->queue_row_bytes = (size_t)self->width_px * swin2sr_pixel_bytes(layout->engine.input_pixel);
    self->queue = malloc(QUEUE_ROWS * self->queue_row_bytes);
    self->row = malloc((size_t)self->out_width_px * swin2sr_pixel_bytes(self->out));
    swin2sr_status status = self->queue && self->row ? SWIN2SR_OK : SWIN2SR_NOMEM;
    if (status == SWIN2SR_OK && self->has_alpha)
        status = swin2sr__alpha_ring_init(&self->alpha, self->width_px, self->height_px, scale,
                                          swin2sr__pixels_lag(layout, window_px), 1, 1);
    if (status != SWIN2SR_OK) {
        swin2sr__pixels_free(self);
        return status;
    }
    take_callbacks(self, &layout->engine);
    *ret_pixels = self;
    return SWIN2SR_OK;
}

void swin2sr__pixels_free(swin2sr__pixels *self) {
    if (!self)
        return;
    swin2sr__alpha_ring_done(&self->alpha);
    free(self->queue);
    free(self->row);
    free(self);
}
