/* SPDX-License-Identifier: Apache-2.0
 * image/gif_decoder.h - GIF files frame by frame: what gif.c and gif_frames.c share (stage 4 of 9). */
#pragma once

#include <gif_lib.h>

#include "image/image.h"

#define GIF_PIXEL_BYTES 4

typedef struct gif_rectangle {
    int32_t left, top, width, height; /* within the canvas or beyond it */
} gif_rectangle;

/* A file that is being read. Zeroes are a closed one. */
typedef struct gif_file {
    GifFileType *file;
    const uint8_t *data;
    size_t size, at;
    int32_t width_px, height_px;
    uint8_t *canvas; /* [height][width] RGBA; at first, all of it is transparent */
    uint8_t *line;   /* of a frame: indices */
    uint32_t plays;  /* how often all frames are shown, as far as the file was read; 0: without end */
    bool is_found;   /* the head of the next frame was read, with control */
    GraphicsControlBlock control;
} gif_file;

/* errors  _CORRUPT, _NOMEM. gif_file_close may be called after a failure. */
swin2sr_status gif_file_open(gif_file *self, const uint8_t *data, size_t size, const probe_info *probe,
                             swin2sr_error *reterr);

/* Go to the next frame and read its head, and what the file says before it. No effect if that was done already. */
swin2sr_status gif_file_find(gif_file *self, swin2sr_error *reterr);

/* Where the frame that was found lies. */
gif_rectangle gif_file_place(const gif_file *self);

/* Draw the frame that was found on the canvas. */
swin2sr_status gif_file_draw(gif_file *self, swin2sr_error *reterr);

void gif_file_close(gif_file *self);
