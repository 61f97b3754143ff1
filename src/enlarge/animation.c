/* SPDX-License-Identifier: Apache-2.0
 * enlarge/animation.c - one animation to one larger animation (stages 4 to 8 of 9).
 * In: bytes of a file, a model.  Out: bytes of a file, through a sink.
 * The file is read twice, and for a GIF three times. The first pass finds out how much there is to do and whether anything
 * is transparent; that for a GIF counts the colours, for its palette; the last one enlarges. Held are two canvases of the
 * input, one as large as the network makes it, one of the output if that has another size, and areas that may come again.
 * A crop is cut out of each canvas; of the output, only what has changed gets its size anew. */
#include "enlarge/animation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "enlarge/changes.h"
#include "enlarge/crop.h"
#include "enlarge/kept_areas.h"
#include "enlarge/preview.h"
#include "enlarge/resample.h"
#include "image/frames.h"
#include "image/pixels.h"

#define DEFAULT_FRAMES 1000
#define DEFAULT_ALL_PIXELS 1000000000u
#define SPREAD_PX 6      /* how far a pixel of the input is seen in the output; less than half a block of changes.c */
#define CONTEXT_PX 16    /* around an area, so that the network sees what surrounds it */
#define SOURCE_WEIGHT 4u /* of a pixel of the input in the palette, against a blend of two */

typedef struct animation {
    swin2sr_model *model;
    const enlarge_options *options;
    enlarge_options part; /* of an area */
    swin2sr_threads *threads;
    frames_reader *reader;
    frames_writer *writer;
    frames_info info;
    int32_t width_px, height_px;           /* of the part that is enlarged */
    int32_t full_width_px, full_height_px; /* of the network's output */
    int32_t scale;
    int32_t channels; /* of the areas: 4 if anything is transparent, else 3 */
    uint8_t *cut;     /* the part of the canvas; NULL: all of it is enlarged */
    uint8_t *before;  /* the canvas before; has_before: there was one */
    bool has_before;
    uint8_t *area_in, *area_out; /* of the largest area, packed */
    uint8_t *canvas;             /* the network's output, RGBA */
    resample *resample;          /* NULL: that is the size of the output */
    uint8_t *sized;              /* the output, RGBA, if there is a resample */
    kept_areas *kept;
    uint64_t planned_pixels, done_pixels, area_pixels;
    enlarge_report report;
    animation_report frames;
    swin2sr_error *reterr;
} animation;

static swin2sr_status out_of_memory(animation *self) {
    return swin2sr__error_set(self->reterr, SWIN2SR_NOMEM, "not enough memory to enlarge this animation");
}

static void animation_done(animation *self) {
    frames_reader_close(self->reader);
    frames_writer_close(self->writer);
    swin2sr_threads_free(self->threads);
    if (self->kept)
        kept_areas_done(self->kept);
    free(self->kept);
    resample_close(self->resample);
    free(self->sized);
    free(self->cut);
    free(self->before);
    free(self->area_in);
    free(self->area_out);
    free(self->canvas);
}

static size_t canvas_bytes(const animation *self) {
    return (size_t)self->width_px * (size_t)self->height_px * FRAMES_PIXEL_BYTES;
}

static uint64_t pixels_of(changes_area area) {
    return (uint64_t)area.width_px * (uint64_t)area.height_px;
}

static changes_area with_context(const animation *self, changes_area area) {
    return changes_widen(area, CONTEXT_PX, self->width_px, self->height_px);
}

/* ---- before anything is enlarged ---- */

static swin2sr_status open_input(animation *self, const void *data, size_t size, const animation_limits *limits) {
    frames_reader_close(self->reader);
    self->reader = NULL;
    self->has_before = false;
    swin2sr_status status = frames_reader_open(data, size, &self->options->limits, &self->reader, self->reterr);
    if (status != SWIN2SR_OK)
        return status;
    int32_t frames_max = limits && limits->frames > 0 ? limits->frames : DEFAULT_FRAMES;
    uint64_t pixels_max = limits && limits->all_pixels > 0 ? limits->all_pixels : DEFAULT_ALL_PIXELS;
    self->info = *frames_reader_info(self->reader);
    self->frames.all_pixels =
        (uint64_t)self->info.width_px * (uint64_t)self->info.height_px * (uint64_t)self->info.frames;
    if (self->info.frames > frames_max)
        return swin2sr__error_set(self->reterr, SWIN2SR_TOO_LARGE,
                                  "the animation has %d frames; at most %d are allowed", self->info.frames, frames_max);
    if (self->frames.all_pixels > pixels_max)
        return swin2sr__error_set(self->reterr, SWIN2SR_TOO_LARGE,
                                  "the animation has %llu pixels in all frames; at most %llu are allowed",
                                  (unsigned long long)self->frames.all_pixels, (unsigned long long)pixels_max);
    self->width_px = self->info.width_px;
    self->height_px = self->info.height_px;
    return crop_part(&self->options->target, &self->width_px, &self->height_px, self->reterr);
}

static swin2sr_status check_canvas(animation *self, const char *what, int64_t width_px, int64_t height_px) {
    uint64_t most = self->options->out_pixels > 0 ? self->options->out_pixels : ENLARGE_DEFAULT_OUT_PIXELS;
    if (width_px <= INT32_MAX && height_px <= INT32_MAX && (uint64_t)width_px * (uint64_t)height_px <= most)
        return SWIN2SR_OK;
    return swin2sr__error_set(self->reterr, SWIN2SR_TOO_LARGE,
                              "%s would have %lld x %lld pixels; at most %llu are allowed", what, (long long)width_px,
                              (long long)height_px, (unsigned long long)most);
}

/* An animation holds a frame as large as the network makes it, whatever its size is in the end. */
static swin2sr_status check_output(animation *self) {
    int64_t width = (int64_t)self->width_px * self->scale, height = (int64_t)self->height_px * self->scale;
    enlarge_report *report = &self->report;
    report->in_width_px = self->width_px;
    report->in_height_px = self->height_px;
    format_target_size(&self->options->target, self->width_px, self->height_px, self->scale, &report->out_width_px,
                       &report->out_height_px);
    swin2sr_status status = check_canvas(self, "the result", report->out_width_px, report->out_height_px);
    if (status == SWIN2SR_OK)
        status = check_canvas(self, "a frame, before it gets the size that is asked for,", width, height);
    if (status != SWIN2SR_OK)
        return status;
    self->full_width_px = (int32_t)width;
    self->full_height_px = (int32_t)height;
    return SWIN2SR_OK;
}

/* The part of a canvas that is enlarged. */
static const uint8_t *cut_canvas(animation *self, const uint8_t *canvas) {
    if (!self->cut)
        return canvas;
    size_t row_bytes = (size_t)self->width_px * FRAMES_PIXEL_BYTES;
    size_t x = self->options->target.crop_x_px, y = self->options->target.crop_y_px;
    for (size_t i = 0; i < (size_t)self->height_px; i++)
        memcpy(self->cut + i * row_bytes, canvas + ((y + i) * (size_t)self->info.width_px + x) * FRAMES_PIXEL_BYTES,
               row_bytes);
    return self->cut;
}

/* The next canvas, and where it differs from the one before. */
static swin2sr_status next_frame(animation *self, frames_frame *frame, changes_area *areas, int32_t *ret_count) {
    uint64_t start_us = swin2sr__clock_us();
    swin2sr_status status = frames_reader_next(self->reader, frame, self->reterr);
    if (status == SWIN2SR_OK) {
        frame->canvas = cut_canvas(self, frame->canvas);
        *ret_count =
            changes_find(self->has_before ? self->before : NULL, frame->canvas, self->width_px, self->height_px, areas);
    }
    for (int32_t i = 0; i < *ret_count && status == SWIN2SR_OK; i++)
        areas[i] = changes_widen(areas[i], SPREAD_PX, self->width_px, self->height_px);
    self->report.decode_us += swin2sr__clock_us() - start_us;
    return status;
}

static void keep_canvas(animation *self, const frames_frame *frame) {
    memcpy(self->before, frame->canvas, canvas_bytes(self));
    self->has_before = true;
}

/* Count the colours of an area, and what enlarging makes of neighbours: blends of two. */
static swin2sr_status count_colours(animation *self, const uint8_t *canvas, changes_area area) {
    size_t width = (size_t)self->width_px;
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t y = area.y; y < area.y + area.height_px && status == SWIN2SR_OK; y++) {
        const uint8_t *row = canvas + ((size_t)y * width + (size_t)area.x) * FRAMES_PIXEL_BYTES;
        const uint8_t *below = y + 1 < self->height_px ? row + width * FRAMES_PIXEL_BYTES : row;
        uint8_t *blends = self->area_in;
        for (int32_t x = 0; x < area.width_px; x++) {
            const uint8_t *pixel = row + x * FRAMES_PIXEL_BYTES, *under = below + x * FRAMES_PIXEL_BYTES;
            const uint8_t *right = x + 1 < area.width_px ? pixel + FRAMES_PIXEL_BYTES : pixel;
            for (int c = 0; c < FRAMES_PIXEL_BYTES; c++, blends++) {
                blends[0] = (uint8_t)((pixel[c] + right[c] + 1) / 2);
                blends[FRAMES_PIXEL_BYTES] = (uint8_t)((pixel[c] + under[c] + 1) / 2);
            }
            blends += FRAMES_PIXEL_BYTES;
        }
        status = frames_writer_count(self->writer, row, (size_t)area.width_px, SOURCE_WEIGHT, self->reterr);
        if (status == SWIN2SR_OK)
            status = frames_writer_count(self->writer, self->area_in, 2 * (size_t)area.width_px, 1, self->reterr);
    }
    return status;
}

static bool is_transparent(const uint8_t *canvas, size_t bytes) {
    for (size_t i = FRAMES_PIXEL_BYTES - 1; i < bytes; i += FRAMES_PIXEL_BYTES)
        if (canvas[i] < 255)
            return true;
    return false;
}

/* A pass over all frames. is_counting: of their colours, when the writer is open. */
static swin2sr_status look_at_frames(animation *self, bool is_counting) {
    changes_area areas[CHANGES_MAX];
    swin2sr_status status = SWIN2SR_OK;
    self->planned_pixels = 0;
    for (int32_t i = 0; i < self->info.frames && status == SWIN2SR_OK; i++) {
        frames_frame frame;
        int32_t count = 0;
        status = next_frame(self, &frame, areas, &count);
        for (int32_t k = 0; k < count && status == SWIN2SR_OK; k++) {
            self->planned_pixels += pixels_of(with_context(self, areas[k]));
            status = is_counting ? count_colours(self, frame.canvas, areas[k]) : SWIN2SR_OK;
        }
        if (status != SWIN2SR_OK)
            break;
        if (!is_counting && is_transparent(frame.canvas, canvas_bytes(self)))
            self->channels = FRAMES_PIXEL_BYTES;
        keep_canvas(self, &frame);
    }
    return status;
}

static swin2sr_status allocate_sized(animation *self) {
    int32_t width_px = self->report.out_width_px, height_px = self->report.out_height_px;
    const rows_kind kind = {FRAMES_PIXEL_BYTES, FRAMES_PIXEL_BYTES - 1, 1};
    if (width_px == self->full_width_px && height_px == self->full_height_px)
        return SWIN2SR_OK;
    self->sized = malloc((size_t)width_px * (size_t)height_px * FRAMES_PIXEL_BYTES);
    swin2sr_status status = self->sized ? resample_open(&kind, self->full_width_px, self->full_height_px, width_px,
                                                        height_px, &self->resample)
                                        : SWIN2SR_NOMEM;
    return status == SWIN2SR_OK ? status : out_of_memory(self);
}

static swin2sr_status allocate(animation *self) {
    size_t bytes = canvas_bytes(self), scale = (size_t)self->scale;
    size_t row_bytes = (size_t)self->width_px * 2 * FRAMES_PIXEL_BYTES; /* of count_colours */
    bool is_cut = self->options->target.crop_width_px > 0;
    if (is_cut)
        self->cut = malloc(bytes);
    self->before = malloc(bytes);
    self->area_in = malloc(bytes > row_bytes ? bytes : row_bytes);
    self->area_out = malloc(bytes * scale * scale);
    self->canvas = calloc(scale * scale, bytes);
    self->kept = calloc(1, sizeof(*self->kept));
    if ((is_cut && !self->cut) || !self->before || !self->area_in || !self->area_out || !self->canvas || !self->kept)
        return out_of_memory(self);
    return allocate_sized(self);
}

static swin2sr_status open_writer(animation *self, image_sink sink, void *context) {
    const frames_options out = {.format = self->options->out.format,
                                .quality = self->options->out.quality,
                                .compression = self->options->out.compression,
                                .width_px = self->report.out_width_px,
                                .height_px = self->report.out_height_px,
                                .frames = self->info.frames,
                                .plays = self->info.plays,
                                .has_alpha = self->channels == FRAMES_PIXEL_BYTES};
    self->report.channels = self->channels;
    return frames_writer_open(&out, sink, context, &self->writer, self->reterr);
}

/* ---- an area ---- */

static bool on_progress(void *context, double done) {
    animation *self = context;
    double all = (double)(self->planned_pixels > 0 ? self->planned_pixels : 1);
    double share = ((double)self->done_pixels + done * (double)self->area_pixels) / all;
    return !self->options->on_progress || self->options->on_progress(self->options->progress_context, share);
}

/* Copy an area of a canvas, packed, in the channels of the network's file. */
static void take_area(const animation *self, const uint8_t *canvas, int32_t width_px, changes_area area, uint8_t *to) {
    for (int32_t y = area.y; y < area.y + area.height_px; y++) {
        const uint8_t *from = canvas + ((size_t)y * (size_t)width_px + (size_t)area.x) * FRAMES_PIXEL_BYTES;
        for (int32_t x = 0; x < area.width_px; x++, from += FRAMES_PIXEL_BYTES, to += self->channels)
            memcpy(to, from, (size_t)self->channels);
    }
}

/* Put packed pixels into the network's output.
 * from   [height][stride][channels]: where the area begins in them. */
static void put_area(animation *self, changes_area area, const uint8_t *from, size_t stride) {
    size_t width = (size_t)self->full_width_px;
    for (int32_t y = 0; y < area.height_px; y++) {
        uint8_t *to = self->canvas + ((size_t)(area.y + y) * width + (size_t)area.x) * FRAMES_PIXEL_BYTES;
        const uint8_t *row = from + (size_t)y * stride * (size_t)self->channels;
        for (int32_t x = 0; x < area.width_px; x++, to += FRAMES_PIXEL_BYTES, row += self->channels) {
            to[3] = 255;
            memcpy(to, row, (size_t)self->channels);
        }
    }
}

static changes_area enlarged(const animation *self, changes_area area) {
    int32_t scale = self->scale;
    return (changes_area){area.x * scale, area.y * scale, area.width_px * scale, area.height_px * scale};
}

/* Send area_in through the network, into area_out. */
static swin2sr_status run_network(animation *self, changes_area area) {
    changes_area out = enlarged(self, area);
    const image_pixels from = {self->area_in, (size_t)(area.width_px * self->channels), area.width_px, area.height_px,
                               self->channels};
    const image_pixels to = {self->area_out, (size_t)(out.width_px * self->channels), out.width_px, out.height_px,
                             self->channels};
    enlarge_report report;
    self->part.reader = NULL;
    self->part.writer = NULL;
    swin2sr_status status = image_pixels_read(&from, &self->part.reader, self->reterr);
    if (status == SWIN2SR_OK)
        status = image_pixels_write(&to, &self->part.writer, self->reterr);
    if (status != SWIN2SR_OK) {
        image_reader_close(self->part.reader);
        return status;
    }
    self->area_pixels = pixels_of(area);
    status = enlarge_bytes(self->model, NULL, 0, &self->part, NULL, NULL, &report, self->reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->report.infer_us += report.infer_us;
    if (!self->has_before)
        self->report.plan = report.plan;
    self->frames.enlarged_pixels += pixels_of(area);
    return SWIN2SR_OK;
}

/* Bring an area of the network's output up to date. */
static swin2sr_status enlarge_area(animation *self, const uint8_t *canvas, changes_area area, bool *ret_is_reused) {
    changes_area wide = with_context(self, area), out = enlarged(self, area);
    size_t in_bytes = (size_t)pixels_of(wide) * (size_t)self->channels;
    size_t out_bytes = (size_t)pixels_of(out) * (size_t)self->channels;
    if (self->has_before) { /* what is there now may come again */
        take_area(self, self->before, self->width_px, wide, self->area_in);
        take_area(self, self->canvas, self->full_width_px, out, self->area_out);
        kept_areas_add(self->kept, area, self->area_in, in_bytes, self->area_out, out_bytes);
    }
    take_area(self, canvas, self->width_px, wide, self->area_in);
    const uint8_t *kept = kept_areas_find(self->kept, area, self->area_in, in_bytes);
    swin2sr_status status = SWIN2SR_OK;
    *ret_is_reused = kept != NULL;
    if (!kept) {
        status = run_network(self, wide);
        size_t stride = (size_t)(wide.width_px * self->scale);
        size_t start = (size_t)((area.y - wide.y) * self->scale) * stride + (size_t)((area.x - wide.x) * self->scale);
        if (status == SWIN2SR_OK)
            put_area(self, out, self->area_out + start * (size_t)self->channels, stride);
    } else {
        put_area(self, out, kept, (size_t)out.width_px);
    }
    self->done_pixels += pixels_of(wide);
    self->area_pixels = 0;
    if (status == SWIN2SR_OK && !on_progress(self, 0))
        return swin2sr__error_set(self->reterr, SWIN2SR_CANCELLED, "cancelled");
    return status;
}

/* ---- all frames ---- */

/* Give the output its size, where the network's has changed.
 * changed  In: where that is.  Out: where the output has changed.
 * returns  The output. */
static const uint8_t *size_canvas(animation *self, changes_area *changed) {
    if (!self->resample)
        return self->canvas;
    *changed = resample_reach(self->resample, *changed);
    int32_t made = 0, y = changed->height_px > 0 ? resample_begin(self->resample, *changed) : 0;
    for (; made < changed->height_px; y++) {
        resample_push(self->resample, self->canvas + (size_t)y * (size_t)self->full_width_px * FRAMES_PIXEL_BYTES);
        const uint8_t *row = resample_next(self->resample);
        for (; row; row = resample_next(self->resample), made++) {
            size_t at = (size_t)(changed->y + made) * (size_t)self->report.out_width_px + (size_t)changed->x;
            memcpy(self->sized + at * FRAMES_PIXEL_BYTES, row, (size_t)changed->width_px * FRAMES_PIXEL_BYTES);
        }
    }
    return self->sized;
}

static swin2sr_status write_preview(animation *self, const uint8_t *canvas) {
    const enlarge_options *options = self->options;
    int32_t width = self->report.out_width_px, height = self->report.out_height_px;
    const image_block no_profile = {NULL, 0};
    preview small = {.writer = NULL};
    if (!preview_is_wanted(width, height, options->preview_side_px))
        return SWIN2SR_OK;
    swin2sr_status status = preview_open(&small, width, height, FRAMES_PIXEL_BYTES, 1, options->preview_side_px,
                                         &no_profile, options->preview_sink, options->preview_context, self->reterr);
    for (int32_t y = 0; y < height && status == SWIN2SR_OK; y++)
        status = preview_add(&small, canvas + (size_t)y * (size_t)width * FRAMES_PIXEL_BYTES, self->reterr);
    if (status == SWIN2SR_OK)
        status = preview_finish(&small, self->reterr);
    preview_done(&small);
    return status;
}

static swin2sr_status write_frame(animation *self, const frames_frame *frame, changes_area changed) {
    uint64_t start_us = swin2sr__clock_us();
    const uint8_t *canvas = size_canvas(self, &changed);
    const frames_part part = {.x = changed.x,
                              .y = changed.y,
                              .width_px = changed.width_px,
                              .height_px = changed.height_px,
                              .delay_num = frame->delay_num,
                              .delay_den = frame->delay_den};
    swin2sr_status status = frames_writer_add(self->writer, &part, canvas, self->reterr);
    if (status == SWIN2SR_OK && self->frames.frames == 0)
        status = write_preview(self, canvas);
    self->report.encode_us += swin2sr__clock_us() - start_us;
    return status;
}

static swin2sr_status enlarge_frame(animation *self) {
    changes_area areas[CHANGES_MAX], changed = {0};
    frames_frame frame;
    int32_t count = 0;
    bool is_reused = true;
    swin2sr_status status = next_frame(self, &frame, areas, &count);
    for (int32_t i = 0; i < count && status == SWIN2SR_OK; i++) {
        bool is_kept = false;
        status = enlarge_area(self, frame.canvas, areas[i], &is_kept);
        changed = changes_join(changed, enlarged(self, areas[i]));
        is_reused &= is_kept;
    }
    if (status == SWIN2SR_OK)
        status = write_frame(self, &frame, changed);
    if (status != SWIN2SR_OK)
        return status;
    keep_canvas(self, &frame);
    self->frames.frames++;
    self->frames.frames_reused += is_reused;
    return SWIN2SR_OK;
}

static swin2sr_status prepare_network(animation *self) {
    self->part = *self->options;
    self->part.target = (format_target){.plain_parts = self->options->target.plain_parts};
    self->part.out.format = FORMAT_PNG; /* of its kind: with alpha, in memory */
    self->part.on_progress = on_progress;
    self->part.progress_context = self;
    self->part.shrink_px = 0;
    self->part.metadata = 0;
    self->part.aux_sink = NULL;
    self->part.preview_side_px = 0;
    self->part.undamaged_model = NULL;
    if (self->part.engine.shared_threads)
        return SWIN2SR_OK;
    swin2sr_status status = swin2sr_threads_new(self->part.engine.threads, &self->threads, self->reterr);
    self->part.engine.shared_threads = self->threads;
    return status;
}

static swin2sr_status animation_run(animation *self, const void *data, size_t size, const animation_limits *limits,
                                    image_sink sink, void *context) {
    swin2sr_status status = open_input(self, data, size, limits);
    if (status == SWIN2SR_OK)
        status = check_output(self);
    if (status == SWIN2SR_OK)
        status = allocate(self);
    if (status == SWIN2SR_OK)
        status = look_at_frames(self, false);
    if (status == SWIN2SR_OK)
        status = open_writer(self, sink, context);
    if (status == SWIN2SR_OK && frames_writer_counts(self->writer)) {
        status = open_input(self, data, size, limits);
        if (status == SWIN2SR_OK)
            status = look_at_frames(self, true);
    }
    if (status == SWIN2SR_OK)
        status = open_input(self, data, size, limits);
    if (status == SWIN2SR_OK)
        status = prepare_network(self);
    for (int32_t i = 0; i < self->info.frames && status == SWIN2SR_OK; i++)
        status = enlarge_frame(self);
    if (status == SWIN2SR_OK)
        status = frames_writer_finish(self->writer, self->reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->info = *frames_reader_info(self->reader);
    self->report.damage = self->info.damage;
    self->report.choice = self->options->undamaged_model ? CHOICE_ANIMATION : CHOICE_NONE;
    self->report.notes = self->info.notes | frames_writer_notes(self->writer) | (self->info.damage ? NOTE_DAMAGED : 0) |
                         (self->options->metadata & FORMAT_METADATA_PROVENANCE ? NOTE_PROVENANCE_DROPPED : 0);
    if (self->options->metadata & FORMAT_METADATA_STRIP) /* what is missing is missing on purpose */
        self->report.notes &= ~(NOTE_EXIF_DROPPED | NOTE_XMP_DROPPED | NOTE_TEXT_DROPPED);
    return SWIN2SR_OK;
}

swin2sr_status animation_enlarge(swin2sr_model *model, const void *data, size_t size, const enlarge_options *options,
                                 const animation_limits *limits, image_sink sink, void *context,
                                 enlarge_report *ret_report, animation_report *ret_frames, swin2sr_error *reterr) {
    animation self = {.model = model,
                      .options = options,
                      .scale = swin2sr_model_get_info(model)->scale,
                      .channels = FRAMES_PIXEL_BYTES - 1,
                      .reterr = reterr};
    swin2sr_status status = animation_run(&self, data, size, limits, sink, context);
    if (status == SWIN2SR_OK && ret_report)
        *ret_report = self.report;
    if (status == SWIN2SR_OK && ret_frames)
        *ret_frames = self.frames;
    animation_done(&self);
    return status;
}
