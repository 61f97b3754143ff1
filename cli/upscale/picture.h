/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/picture.h - the options about pictures that upscale, remote upscale and batch share: what is made of each. */
#pragma once

#include "command/options.h"
#include "enlarge/enlarge.h"
#include "format/target.h"

#define PICTURE_QUALITY 95 /* where none is given */

/* The values as they were given; NULL: not given. */
typedef struct target_texts {
    const char *scale, *width, *height, *fit, *crop, *strength;
} target_texts;

typedef struct picture_options {
    int32_t quality;          /* 1..100; 0: not given */
    int32_t compression;      /* a format_compression */
    int32_t colour, metadata; /* words of format/metadata.h */
    bool has_provenance;
    bool is_animation; /* all frames of animations */
    bool is_strict;
    bool keeps_times; /* outputs get the modification time of their inputs */
    target_texts texts;
    format_target target; /* what the texts say; set by picture_settle */
} picture_options;

/* How the state of a command begins that has the options of picture_table. */
typedef struct picture_state {
    cli_options options;
    picture_options picture;
} picture_state;

extern const cli_option picture_table[];

/* Read the texts. false: one is wrong, which has been reported. */
bool picture_settle(picture_options *self);

/* Put what was chosen where the work is done. format is not one of these options. */
void picture_apply(const picture_options *self, enlarge_options *options);

/* The name and the value of text i, for a query; NULL after the last one. */
const char *picture_text_name(size_t i);
const char *picture_text(const picture_options *self, size_t i);
