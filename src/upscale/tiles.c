/* SPDX-License-Identifier: Apache-2.0
 * upscale/tiles.c - bands of tiles: collect rows, run each tile, assemble the band, pass it on (stage 7 of 9).
 * In: pixel rows.  Out: enlarged rows. Where tiles share a pixel, it is their sum with weights that add up to 1.
 * A band is assembled from left to right; then its first rows are cross-faded with the last rows of the band above. A
 * network with a second image fills a second canvas. */
#include "upscale/tiles.h"

#include <stdlib.h>
#include <string.h>

/* An image that is assembled: the enlarged one, or the second image of the aux head, which has scale 1. */
typedef struct canvas {
    swin2sr__tiles *tiles;
    int32_t scale;
    size_t stride;
    unsigned char *band;  /* rows of the band's share, one after another */
    unsigned char *above; /* the rows of the band above that are cross-faded */
    swin2sr_on_rows on_rows;
    void *context;
} canvas;

struct swin2sr__tiles {
    swin2sr__layout layout;
    swin2sr__engine *engine;
    swin2sr__arena memory;
    int32_t channels;
    bool is_float;
    size_t in_pixel_bytes, in_stride, out_pixel_bytes;
    unsigned char *in; /* input rows from in_y on */
    canvas out, aux;   /* aux.on_rows is NULL if the second image is not wanted */
    int32_t in_y, in_rows;
    int32_t pushed;
    int32_t column, row;   /* the current tile */
    swin2sr_status status; /* sticky */
};

static void lay_canvas(swin2sr__tiles *tiles, canvas *to, int32_t scale) {
    const swin2sr__cut *bands = &tiles->layout.bands;
    to->tiles = tiles;
    to->scale = scale;
    to->stride = (size_t)tiles->layout.engine.width_px * (size_t)scale * tiles->out_pixel_bytes;
    to->band = swin2sr__arena_take(&tiles->memory,
                                   (size_t)swin2sr__cut_longest(bands, swin2sr__cut_share) * (size_t)scale, to->stride);
    to->above = swin2sr__arena_take(&tiles->memory, 2 * (size_t)bands->fade_px * (size_t)scale, to->stride);
}

static void lay_out(swin2sr__tiles *tiles, int32_t scale) {
    const swin2sr__engine_options *engine = &tiles->layout.engine;
    const swin2sr__cut *bands = &tiles->layout.bands;
    size_t height = (size_t)swin2sr__min(bands->core_px + 2 * bands->overlap_px, bands->side_px);
    tiles->in_pixel_bytes = swin2sr_pixel_bytes(engine->input_pixel);
    tiles->out_pixel_bytes = swin2sr_pixel_bytes(engine->output_pixel);
    tiles->in_stride = (size_t)engine->width_px * tiles->in_pixel_bytes;
    tiles->in = swin2sr__arena_take(&tiles->memory, height, tiles->in_stride);
    lay_canvas(tiles, &tiles->out, scale);
    if (engine->on_aux_rows)
        lay_canvas(tiles, &tiles->aux, 1);
}

size_t swin2sr__tiles_measure(const swin2sr__layout *layout, int32_t scale) {
    swin2sr__tiles tiles = {.layout = *layout};
    lay_out(&tiles, scale);
    return tiles.memory.is_overflown ? SIZE_MAX : tiles.memory.used;
}

swin2sr_status swin2sr__tiles_new(const swin2sr__layout *layout, int32_t scale, swin2sr__engine *engine,
                                  swin2sr__tiles **ret_tiles) {
    swin2sr__tiles *tiles = calloc(1, sizeof *tiles);
    if (!tiles)
        return SWIN2SR_NOMEM;
    swin2sr_pixel pixel = layout->engine.output_pixel;
    tiles->layout = *layout;
    tiles->engine = engine;
    tiles->out.on_rows = layout->engine.on_rows;
    tiles->out.context = layout->engine.rows_context;
    tiles->aux.on_rows = layout->engine.on_aux_rows;
    tiles->aux.context = layout->engine.aux_context;
    tiles->is_float = pixel == SWIN2SR_PIXEL_RGBF32 || pixel == SWIN2SR_PIXEL_GREYF32;
    tiles->channels = pixel == SWIN2SR_PIXEL_RGB8 || pixel == SWIN2SR_PIXEL_RGBF32 ? 3 : 1;
    lay_out(tiles, scale);
    if (!swin2sr__arena_allocate(&tiles->memory)) {
        swin2sr__tiles_free(tiles);
        return SWIN2SR_NOMEM;
    }
    lay_out(tiles, scale);
    *ret_tiles = tiles;
    return SWIN2SR_OK;
}

void swin2sr__tiles_free(swin2sr__tiles *tiles) {
    if (!tiles)
        return;
    swin2sr__arena_done(&tiles->memory);
    free(tiles);
}

/* values = old + (new - old) * share, value by value. */
static void fade(const swin2sr__tiles *tiles, unsigned char *values, const unsigned char *old, const unsigned char *new,
                 int32_t count, float share) {
    for (int32_t i = 0; i < count; i++) {
        if (tiles->is_float) {
            float a = ((const float *)(const void *)old)[i], b = ((const float *)(const void *)new)[i];
            ((float *)(void *)values)[i] = a + (b - a) * share;
        } else {
            values[i] = (unsigned char)((float)old[i] + ((float)new[i] - (float)old[i]) * share + 0.5f);
        }
    }
}

/* The weight of the later piece at pixel i of n cross-faded enlarged pixels. */
static float fade_share(int32_t i, int32_t n) {
    return ((float)i + 0.5f) / (float)n;
}

/* Copy rows of the current tile to the band: drop the halo and cross-fade the left edge with the tile to its left. */
static swin2sr_status take_tile_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    const canvas *out = context;
    const swin2sr__tiles *tiles = out->tiles;
    const swin2sr__cut *columns = &tiles->layout.columns, *bands = &tiles->layout.bands;
    int32_t S = out->scale, zone = tiles->column ? 2 * columns->fade_px * S : 0;
    swin2sr__span region_x = swin2sr__cut_region(columns, tiles->column),
                  x = swin2sr__cut_share(columns, tiles->column);
    swin2sr__span region_y = swin2sr__cut_region(bands, tiles->row), share_y = swin2sr__cut_share(bands, tiles->row);
    for (int32_t i = 0; i < n; i++) {
        int32_t image_y = region_y.from * S + y + i;
        if (image_y < share_y.from * S || image_y >= share_y.to * S)
            continue;
        const unsigned char *from = (const unsigned char *)rows + (size_t)i * stride_bytes +
                                    (size_t)((x.from - region_x.from) * S) * tiles->out_pixel_bytes;
        unsigned char *to = out->band + (size_t)(image_y - share_y.from * S) * out->stride +
                            (size_t)(x.from * S) * tiles->out_pixel_bytes;
        for (int32_t j = 0; j < zone; j++, from += tiles->out_pixel_bytes, to += tiles->out_pixel_bytes)
            fade(tiles, to, to, from, tiles->channels, fade_share(j, zone));
        memcpy(to, from, (size_t)((x.to - x.from) * S - zone) * tiles->out_pixel_bytes);
    }
    return SWIN2SR_OK;
}

static bool report_tile_progress(void *context, double done) {
    swin2sr__tiles *tiles = context;
    const swin2sr__engine_options *image = &tiles->layout.engine;
    double all = (double)tiles->layout.columns.count * tiles->layout.bands.count;
    double before = (double)tiles->row * tiles->layout.columns.count + tiles->column;
    return image->on_progress(image->progress_context, (before + done) / all);
}

static swin2sr_status run_tile(swin2sr__tiles *tiles) {
    swin2sr__span x = swin2sr__cut_region(&tiles->layout.columns, tiles->column);
    swin2sr__span y = swin2sr__cut_region(&tiles->layout.bands, tiles->row);
    swin2sr__engine_options options = tiles->layout.engine;
    options.width_px = x.to - x.from;
    options.height_px = y.to - y.from;
    options.x_px = x.from;
    options.y_px = y.from;
    options.on_rows = take_tile_rows;
    options.rows_context = &tiles->out;
    options.on_aux_rows = options.on_aux_rows ? take_tile_rows : NULL;
    options.aux_context = &tiles->aux;
    options.on_progress = options.on_progress ? report_tile_progress : NULL;
    options.progress_context = tiles;
    swin2sr_status status = swin2sr__engine_begin(tiles->engine, &options);
    if (status != SWIN2SR_OK)
        return status;
    const unsigned char *first = tiles->in + (size_t)(y.from - tiles->in_y) * tiles->in_stride;
    return swin2sr__engine_push(tiles->engine, first + (size_t)x.from * tiles->in_pixel_bytes, tiles->in_stride,
                                options.height_px);
}

/* Cross-fade the first rows with the band above, pass on the final rows, and keep the others for the band below. */
static swin2sr_status emit_band(const canvas *out) {
    const swin2sr__tiles *tiles = out->tiles;
    const swin2sr__cut *bands = &tiles->layout.bands;
    int32_t S = out->scale, zone = 2 * bands->fade_px * S;
    swin2sr__span share = swin2sr__cut_share(bands, tiles->row);
    bool is_last = tiles->row + 1 == bands->count;
    int32_t rows = (share.to - share.from) * S - (is_last ? 0 : zone);
    int32_t values = tiles->layout.engine.width_px * S * tiles->channels;
    for (int32_t y = 0; tiles->row && y < zone; y++) {
        unsigned char *row = out->band + (size_t)y * out->stride;
        fade(tiles, row, out->above + (size_t)y * out->stride, row, values, fade_share(y, zone));
    }
    if (!is_last && zone)
        memcpy(out->above, out->band + (size_t)rows * out->stride, (size_t)zone * out->stride);
    return out->on_rows(out->context, share.from * S, rows, out->band, out->stride);
}

static swin2sr_status run_band(swin2sr__tiles *tiles) {
    for (tiles->column = 0; tiles->column < tiles->layout.columns.count; tiles->column++) {
        swin2sr_status status = run_tile(tiles);
        if (status != SWIN2SR_OK)
            return status;
    }
    swin2sr_status status = tiles->aux.on_rows ? emit_band(&tiles->aux) : SWIN2SR_OK;
    if (status == SWIN2SR_OK)
        status = emit_band(&tiles->out);
    tiles->row++;
    if (status != SWIN2SR_OK || tiles->row == tiles->layout.bands.count)
        return status;
    int32_t next_y = swin2sr__cut_region(&tiles->layout.bands, tiles->row).from, done = next_y - tiles->in_y;
    tiles->in_rows -= done;
    memmove(tiles->in, tiles->in + (size_t)done * tiles->in_stride, (size_t)tiles->in_rows * tiles->in_stride);
    tiles->in_y = next_y;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__tiles_push(swin2sr__tiles *tiles, const void *rows, size_t stride_bytes, int32_t n) {
    if (tiles->status == SWIN2SR_OK && (n < 0 || n > tiles->layout.engine.height_px - tiles->pushed))
        tiles->status = SWIN2SR_INVALID;
    for (int32_t i = 0; i < n && tiles->status == SWIN2SR_OK; i++) {
        memcpy(tiles->in + (size_t)tiles->in_rows * tiles->in_stride, (const char *)rows + (size_t)i * stride_bytes,
               tiles->in_stride);
        tiles->in_rows++;
        tiles->pushed++;
        while (tiles->status == SWIN2SR_OK && tiles->row < tiles->layout.bands.count &&
               tiles->pushed == swin2sr__cut_region(&tiles->layout.bands, tiles->row).to)
            tiles->status = run_band(tiles);
    }
    return tiles->status;
}
