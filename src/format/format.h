/* SPDX-License-Identifier: Apache-2.0
 * format/format.h - the one table of image file formats: names, endings, what each can hold, what is read and written.
 * Probe, decoders, encoders, wire, service and command line all take their format from here. Constant data, no state. */
#ifndef SWIN2SR_FORMAT_FORMAT_H
#define SWIN2SR_FORMAT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

/* The values are sent between server and worker and stored in job specs: append, never renumber. */
typedef enum format_id {
    FORMAT_UNKNOWN = 0,
    FORMAT_PNG,
    FORMAT_JPEG,
    FORMAT_COUNT
} format_id;

#define FORMAT_CHANNELS(n) (1u << (n)) /* bit n: images of n channels; 1 grey, 2 grey+alpha, 3 colour, 4 colour+alpha */
#define FORMAT_ENDINGS 4

typedef struct format_info {
    const char *name;                    /* "png": in options and messages */
    const char *media_type;              /* "image/png" */
    const char *endings[FORMAT_ENDINGS]; /* of file names, without the dot, lower case; the first is the one we write;
                                            unused places are NULL */
    uint8_t channels;                    /* FORMAT_CHANNELS that can be written */
    int32_t max_side_px;                 /* of what can be written */
    bool has_alpha, has_quality;
    bool can_read, can_write;
} format_info;

/* id in 0..FORMAT_COUNT-1. FORMAT_UNKNOWN has the name "unknown", no endings, and can neither be read nor written. */
const format_info *format_get(format_id id);

/* By name or ending, upper or lower case: "png", "JPG", "jfif". FORMAT_UNKNOWN: none. */
format_id format_by_name(const char *name);

/* By the ending of a path's last part. FORMAT_UNKNOWN: it has none, or not one of a format. */
format_id format_by_path(const char *path);

/* What follows the last dot of a path's last part, "" where there is none. A leading dot begins a hidden file's name and
 * no ending. returns a place within path. */
const char *format_ending(const char *path);

#endif
