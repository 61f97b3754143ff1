/* SPDX-License-Identifier: Apache-2.0
 * format/target.h - which part of an image is enlarged, to which size, and how strongly: the options scale, width,
 * height, fit, crop and strength of service and command line. Plain values; zeroes: all of it, by the network's factor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_SIDE_MAX 1000000u
#define TARGET_SCALE_ONE 1000u
#define TARGET_SCALE_MAX (16 * TARGET_SCALE_ONE)
#define TARGET_PARTS_ONE 1000u
#define TARGET_TEXT_BYTES 128

typedef struct format_target {
    uint32_t scale_milli;                   /* times 1000; 0: the network's factor */
    uint32_t width_px, height_px;           /* of the result; one alone: the other follows; 0: not given */
    uint32_t is_fit;                        /* 1: width and height are what the result must fit into */
    uint32_t crop_x_px, crop_y_px;          /* of the part of the upright input */
    uint32_t crop_width_px, crop_height_px; /* 0: all of it */
    uint32_t plain_parts;                   /* of 1000 of the plain enlargement in the result: 1 - strength */
} format_target;

/* Take one option: "scale" "1.5", "width" "4000", "height" "3000", "fit" "4000x3000", "crop" "x,y,w,h",
 * "strength" "0.7".
 * returns  NULL, or what is wrong with the value, to be read after "NAME: ". */
const char *format_target_take(format_target *self, const char *name, const char *value);

/* The part of an image of these sides that is enlarged. false: it is not inside of the image. */
bool format_target_part(const format_target *self, int32_t width_px, int32_t height_px, int32_t *ret_width_px,
                        int32_t *ret_height_px);

/* The size of the result for a part of these sides and a network that enlarges `factor` times. Each side is at least 1
 * and at most INT32_MAX. */
void format_target_size(const format_target *self, int32_t width_px, int32_t height_px, int32_t factor,
                        int32_t *ret_width_px, int32_t *ret_height_px);

/* All values in their ranges, so that the functions above can be called. */
bool format_target_is_sound(const format_target *self);

/* For the names of files: "_x3", "_w4000", "_h3000", "_4000x3000"; other targets have other texts. */
void format_target_suffix(const format_target *self, int32_t factor, char ret_text[TARGET_TEXT_BYTES]);
