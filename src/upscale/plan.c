/* SPDX-License-Identifier: Apache-2.0
 * upscale/plan.c - whole image if the memory budget allows it, else strips; or tiles, if the options set them. */
#include "upscale/plan.h"

#include "base/alpha.h"
#include "base/checked_math.h"
#include "base/error.h"
#include "base/threads.h"
#include "upscale/pixels.h"
#include "upscale/tiles.h"

#define MAX_SIDE_PX 65535
#define MAX_ROWS 64
#define SIDE_STEP_PX 8 /* of the options; the plan rounds down to whole windows of the network */
#define MIN_TILE_PX 64
#define DEFAULT_OVERLAP_PX 32
/* Columns x rows of windows per step that keep the threads busy between two barriers. More would only cost memory. */
#define STEP_COLUMNS_PX 512
#define MAX_CHOSEN_ROWS 8 /* of the CPU */
/* A strip is at least this wide (under a third of its work is overlap) and at most this high. */
#define MIN_STRIP_PX 128
#define MAX_STRIP_BAND_PX 1024

static swin2sr_status check_pixels(const swin2sr_model_info *info, const swin2sr_options *options,
                                   swin2sr_error *reterr) {
    bool has_alpha = swin2sr__pixels_has_alpha(options->output_pixel);
    if (swin2sr__pixels_inside(options->input_pixel, info->channels) == SWIN2SR_PIXEL_COUNT ||
        swin2sr__pixels_inside(options->output_pixel, info->channels) == SWIN2SR_PIXEL_COUNT)
        return swin2sr__error_set(
            reterr, SWIN2SR_INVALID, "the model has %d channel%s, so pixels %d and %d cannot be its input and output",
            info->channels, info->channels == 1 ? "" : "s", (int)options->input_pixel, (int)options->output_pixel);
    if (has_alpha && options->on_aux_rows)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "the second image has no alpha: choose an output pixel without it");
    if (has_alpha && swin2sr__pixels_has_alpha(options->input_pixel) && info->scale > SWIN2SR__ALPHA_MAX_SCALE)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "alpha can be enlarged %d times, this model enlarges %d",
                                  SWIN2SR__ALPHA_MAX_SCALE, info->scale);
    return SWIN2SR_OK;
}

static swin2sr_status check_tiles(const swin2sr_options *options, swin2sr_error *reterr) {
    int32_t tile = options->tile_px, overlap = options->overlap_px;
    if (tile && (tile < MIN_TILE_PX || tile > MAX_SIDE_PX || tile % SIDE_STEP_PX))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "a tile must be %d to %d pixels, a multiple of %d, not %d",
                                  MIN_TILE_PX, MAX_SIDE_PX / SIDE_STEP_PX * SIDE_STEP_PX, SIDE_STEP_PX, tile);
    if (overlap < -1 || (overlap > 0 && (overlap % SIDE_STEP_PX || overlap > (tile ? tile / 4 : MIN_STRIP_PX / 4))))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "the overlap must be a multiple of %d, at most a quarter of the tile, not %d",
                                  SIDE_STEP_PX, overlap);
    return SWIN2SR_OK;
}

static swin2sr_status check(const swin2sr_model_info *info, const swin2sr_options *options, int32_t width_px,
                            int32_t height_px, swin2sr_error *reterr) {
    if (width_px < 1 || height_px < 1 || width_px > MAX_SIDE_PX || height_px > MAX_SIDE_PX)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "a side must be 1 to %d pixels, not %d x %d", MAX_SIDE_PX,
                                  width_px, height_px);
    if (options->threads < 0 || options->threads > SWIN2SR__MAX_THREADS)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "threads must be 0 to %d, not %d", SWIN2SR__MAX_THREADS,
                                  options->threads);
    if (options->rows < 0 || options->rows > MAX_ROWS)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "rows must be 0 to %d, not %d", MAX_ROWS, options->rows);
    if (options->pad < 0 || options->pad >= SWIN2SR_PAD_COUNT)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "unknown padding %d", (int)options->pad);
    for (size_t i = 0; i < sizeof options->reserved / sizeof options->reserved[0]; i++) {
        if (options->reserved[i])
            return swin2sr__error_set(reterr, SWIN2SR_INVALID, "reserved[%zu] must be 0", i);
    }
    if (options->on_aux_rows && !info->has_aux)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "this model has no second image");
    swin2sr_status status = check_pixels(info, options, reterr);
    return status == SWIN2SR_OK ? check_tiles(options, reterr) : status;
}

static int32_t chosen_rows(const swin2sr__packed *packed, int32_t width_px, int32_t height_px) {
    int32_t window_px = packed->network.config.window_px, all = (height_px + window_px - 1) / window_px;
    int32_t columns = packed->step_columns_px ? packed->step_columns_px : STEP_COLUMNS_PX;
    int32_t most = packed->step_columns_px ? MAX_ROWS : MAX_CHOSEN_ROWS;
    return swin2sr__min(swin2sr__min(swin2sr__max(columns / width_px, 1), most), all);
}

/* Pieces and overlaps begin at windows. */
static int32_t whole_windows(int32_t px, int32_t window_px) {
    return px / window_px * window_px;
}

/* The most that any piece needs. Wider pieces need more; higher ones may not, as a low piece can end in mid-step. */
static swin2sr__engine_bytes measure_pieces(const swin2sr_model *model, const swin2sr__layout *layout,
                                            int32_t *ret_latency_rows) {
    const swin2sr__packed *packed = swin2sr__model_packed(model);
    swin2sr__engine_options piece = layout->engine;
    const swin2sr__cut *bands = &layout->bands;
    const int32_t kinds[] = {0, bands->count / 2, bands->count - 1}; /* all inner bands are equal */
    swin2sr__engine_bytes most = {0};
    piece.width_px = swin2sr__cut_longest(&layout->columns, swin2sr__cut_region);
    for (int i = 0; i < 3; i++) {
        swin2sr__span region = swin2sr__cut_region(bands, kinds[i]);
        int32_t latency_rows;
        piece.height_px = region.to - region.from;
        swin2sr__engine_bytes bytes = packed->device->measure(packed, &piece, &latency_rows);
        most.own = bytes.own > most.own ? bytes.own : most.own;
        most.shared = bytes.shared > most.shared ? bytes.shared : most.shared;
        *ret_latency_rows = i ? *ret_latency_rows : latency_rows;
    }
    return most;
}

/* The exact memory of the layout with its present cuts and rows. */
static void measure(const swin2sr_model *model, swin2sr__layout *layout) {
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    size_t beside = 0, pixels;
    swin2sr__arena rows = {0};
    if (layout->margin.px)
        swin2sr__margin_lay_out(&layout->margin, &rows);
    layout->engine_bytes = measure_pieces(model, layout, &layout->plan.latency_rows);
    layout->plan.columns = layout->columns.count;
    layout->plan.bands = layout->bands.count;
    layout->plan.rows = layout->engine.rows;
    if (layout->plan.columns * layout->plan.bands > 1) {
        beside = swin2sr__tiles_measure(layout, info->scale);
        int32_t band = layout->bands.core_px + 2 * layout->bands.overlap_px; /* the last one is the highest */
        layout->plan.latency_rows = swin2sr__min(band, layout->bands.side_px);
    }
    pixels = swin2sr__pixels_measure(layout, info->scale, info->window_px);
    if (layout->engine_bytes.own == SIZE_MAX || rows.is_overflown || !swin2sr__size_add(beside, pixels, &beside) ||
        !swin2sr__size_add(layout->engine_bytes.shared, beside, &beside) ||
        !swin2sr__size_add(beside, rows.used, &beside) ||
        !swin2sr__size_add(layout->engine_bytes.own, beside, &layout->plan.memory_bytes))
        layout->plan.memory_bytes = SIZE_MAX;
}

static bool fits(const swin2sr__layout *layout) {
    return layout->plan.memory_bytes != SIZE_MAX &&
           (!layout->budget_bytes || layout->plan.memory_bytes <= layout->budget_bytes);
}

/* The caller's budget, or the device's limit if that is lower; 0: none. */
static void set_budget(swin2sr__layout *layout, const swin2sr__packed *packed, const swin2sr_options *options) {
    layout->budget_bytes = options->memory_bytes;
    if (!packed->device->limit)
        return;
    size_t limit = packed->device->limit(packed);
    layout->is_device_limit = !options->memory_bytes || limit < options->memory_bytes;
    if (layout->is_device_limit)
        layout->budget_bytes = limit ? limit : 1; /* 0 would mean that there is no limit */
}

static swin2sr_status refuse(const swin2sr__layout *layout, swin2sr_error *reterr) {
    size_t needed = (layout->plan.memory_bytes >> 20) + 1, allowed = layout->budget_bytes >> 20;
    int32_t width = layout->margin.width_px, height = layout->margin.height_px;
    if (layout->is_device_limit)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM,
                                  "%d x %d pixels need %zu MiB of the GPU's memory, %zu MiB are free", width, height,
                                  needed, allowed);
    return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE, "%d x %d pixels need %zu MiB of memory, %zu MiB are allowed",
                              width, height, needed, allowed);
}

/* Halve the rows of windows per step until the layout fits; false: one is still too many. */
static bool fit_rows(const swin2sr_model *model, swin2sr__layout *layout, const swin2sr_options *options,
                     int32_t width_px, int32_t height_px) {
    const swin2sr__packed *packed = swin2sr__model_packed(model);
    layout->engine.rows = options->rows ? options->rows : chosen_rows(packed, width_px, height_px);
    for (;; layout->engine.rows /= 2) {
        measure(model, layout);
        if (fits(layout))
            return true;
        if (options->rows || layout->engine.rows == 1)
            return false;
    }
}

/* Find the widest strips that fit, and among those the highest. */
static bool fit_strips(const swin2sr_model *model, swin2sr__layout *layout, const swin2sr_options *options,
                       int32_t overlap_px) {
    int32_t width = layout->engine.width_px, height = layout->engine.height_px;
    int32_t window = swin2sr_model_get_info(model)->window_px;
    for (int32_t count = 2; width / count >= MIN_STRIP_PX - window; count++) {
        int32_t core = whole_windows((width + count - 1) / count + window - 1, window);
        layout->columns = swin2sr__cut_side(width, core, overlap_px);
        for (int32_t band = MAX_STRIP_BAND_PX; band >= MIN_STRIP_PX; band /= 2) {
            layout->bands = swin2sr__cut_side(height, whole_windows(band, window), overlap_px);
            if (fit_rows(model, layout, options, core, height))
                return true;
        }
    }
    return false;
}

swin2sr_status swin2sr__plan_layout(const swin2sr_model *model, const swin2sr_options *options, int32_t width_px,
                                    int32_t height_px, swin2sr__layout *ret_layout, swin2sr_error *reterr) {
    swin2sr_options defaults = {0};
    options = options ? options : &defaults;
    swin2sr_status status = check(swin2sr_model_get_info(model), options, width_px, height_px, reterr);
    if (status != SWIN2SR_OK)
        return status;
    const swin2sr__network *network = &swin2sr__model_packed(model)->network;
    int32_t window = network->config.window_px, channels = network->config.channels;
    swin2sr_pixel inside = swin2sr__pixels_inside(options->input_pixel, channels);
    swin2sr__margin margin = {.px = swin2sr__margin_px(options->pad, window),
                              .width_px = width_px,
                              .height_px = height_px,
                              .pixel_bytes = swin2sr_pixel_bytes(inside)};
    width_px += 2 * margin.px;
    height_px += 2 * margin.px;
    uint32_t threads = options->shared_threads ? swin2sr__threads_count(options->shared_threads)
                                               : swin2sr__threads_wanted(options->threads);
    int32_t overlap = options->overlap_px == -1 ? 0 : options->overlap_px ? options->overlap_px : DEFAULT_OVERLAP_PX;
    if (options->tile_px && !options->overlap_px && overlap > options->tile_px / 4)
        overlap = options->tile_px / 4;
    overlap = whole_windows(overlap, window);
    int32_t core = options->tile_px ? whole_windows(options->tile_px, window) - 2 * overlap : MAX_SIDE_PX;
    swin2sr__layout layout = {.margin = margin,
                              .engine = {.width_px = width_px,
                                         .height_px = height_px,
                                         .whole_width_px = width_px,
                                         .whole_height_px = height_px,
                                         .threads = threads,
                                         .pad = margin.px ? SWIN2SR_PAD_REFLECT : options->pad,
                                         .input_pixel = inside,
                                         .output_pixel = swin2sr__pixels_inside(options->output_pixel, channels),
                                         .on_aux_rows = options->on_aux_rows,
                                         .aux_context = options->aux_context},
                              .input_pixel = options->input_pixel,
                              .output_pixel = options->output_pixel};
    set_budget(&layout, swin2sr__model_packed(model), options);
    layout.columns = swin2sr__cut_side(width_px, core, overlap);
    layout.bands = swin2sr__cut_side(height_px, core, overlap);
    bool is_fitting = fit_rows(model, &layout, options, options->tile_px ? core : width_px, height_px);
    if (!is_fitting && !options->tile_px)
        is_fitting = fit_strips(model, &layout, options, overlap);
    if (!is_fitting)
        return refuse(&layout, reterr);
    layout.plan.threads = (int32_t)layout.engine.threads;
    layout.plan.gmac = swin2sr__network_macs_per_pixel(network) * 1e-9 *
                       swin2sr__network_padded(network, width_px, layout.engine.pad) *
                       swin2sr__network_padded(network, height_px, layout.engine.pad);
    *ret_layout = layout;
    return SWIN2SR_OK;
}
