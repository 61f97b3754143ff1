/* SPDX-License-Identifier: Apache-2.0
 * format/format.h - the table of image file formats: names, file name endings, and what each format can hold.
 * The only list of formats: probe, codecs, IPC, service and command line all use it. Constant data, no state. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Server and worker exchange these values, and job specs store them: append new ones, never renumber. */
typedef enum format_id {
    FORMAT_UNKNOWN = 0,
    FORMAT_PNG,
    FORMAT_JPEG,
    FORMAT_WEBP,
    FORMAT_GIF,
    FORMAT_TIFF,
    FORMAT_COUNT
} format_id;

#define FORMAT_CHANNELS(n) (1u << (n)) /* bit n: images of n channels; 1 grey, 2 grey+alpha, 3 colour, 4 colour+alpha */
#define FORMAT_ENDINGS 4
#define FORMAT_LOSSLESS_QUALITY 100                       /* of WebP: at this quality nothing is lost */
#define FORMAT_WRITTEN_NAMES "png, jpeg, webp, gif, tiff" /* those that can be written, in the order of the table */

typedef struct format_info {
    const char *name;                    /* as in options and messages: "png" */
    const char *media_type;              /* "image/png" */
    const char *endings[FORMAT_ENDINGS]; /* of file names, lower case, without the dot; output files get the first;
                                            unused entries are NULL */
    uint8_t channels;                    /* bits of FORMAT_CHANNELS: what can be written */
    int32_t max_side_px;                 /* of an image that is written */
    bool has_alpha, has_quality;
    bool can_animate; /* can hold several frames that are shown one after another */
    bool has_16;      /* can hold 16 bits per sample */
    bool has_profile; /* can hold an ICC profile; otherwise colours become sRGB */
    bool can_read, can_write;
} format_info;

/* Any id that is out of range counts as FORMAT_UNKNOWN, which has no endings and can neither be read nor written. */
const format_info *format_get(format_id id);

/* Upper bound of what a writer holds until its end, per pixel of the image; 0: rows pass through. */
uint32_t format_held_bytes(format_id id, bool has_alpha, uint32_t quality);

/* Find a format by its name or an ending, ignoring case: "png", "JPG", "jfif". FORMAT_UNKNOWN: there is none. */
format_id format_by_name(const char *name);

/* Find a format by the ending of a path. FORMAT_UNKNOWN: no ending, or not one in the table. */
format_id format_by_path(const char *path);

/* The text after the last dot of the file name, or "". A dot at the start of the name marks a hidden file, not an
 * ending.
 * returns  A pointer into path. */
const char *format_ending(const char *path);
