/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/targets.h - --scale, --width, --height, --fit, --crop and --strength, of upscale and of remote upscale. */
#pragma once

#include "format/target.h"

/* The values as they were given; NULL: not given. */
typedef struct target_texts {
    const char *scale, *width, *height, *fit, *crop, *strength;
} target_texts;

/* Rows of a table of cli_options. texts: the place of a target_texts in the command's state. */
#define TARGET_OPTIONS(texts)                                                                                          \
    {"scale", "N", "how many times as large the result is, 0.001..16 (default: the model's\nfactor); 1 restores only", \
     .letter = 's', .field = (texts) + offsetof(target_texts, scale)},                                                 \
        {"width", "PX", "the width of the result; alone, the height follows",                                          \
         .field = (texts) + offsetof(target_texts, width)},                                                            \
        {"height", "PX", "the height of the result; alone, the width follows",                                         \
         .field = (texts) + offsetof(target_texts, height)},                                                           \
        {"fit", "WxH", "the largest result that is at most so wide and so high",                                       \
         .field = (texts) + offsetof(target_texts, fit)},                                                              \
        {"crop", "X,Y,W,H", "only this part of the input, in pixels of the upright image",                             \
         .field = (texts) + offsetof(target_texts, crop)},                                                             \
    {                                                                                                                  \
        "strength", "S", "0..1: mix with the plain (bicubic) enlargement (default: 1)",                                \
            .field = (texts) + offsetof(target_texts, strength)                                                        \
    }

/* Read the values. false: one is wrong, which has been reported. */
bool targets_take(const target_texts *texts, format_target *ret_target);

/* The name and the value of option i, for a query; NULL after the last one. */
const char *targets_name(size_t i);
const char *targets_text(const target_texts *texts, size_t i);
