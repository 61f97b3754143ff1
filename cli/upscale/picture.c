/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/picture.c - the options about pictures that upscale, remote upscale and batch share. */
#include "picture.h"

#include "command/report.h"
#include "format/compression.h"
#include "format/metadata.h"

#define FIELD(member) offsetof(picture_state, picture.member)

const cli_option picture_table[] = {
    {"quality", "N", "of JPEG and WebP, 1..100 (default: 95); WebP of 100 is lossless", .min = 1, .max = 100,
     .field = FIELD(quality)},
    {"scale", "N", "how many times as large the result is, 0.001..16 (default: the model's\nfactor); 1 restores only",
     .letter = 's', .field = FIELD(texts.scale)},
    {"width", "PX", "the width of the result; alone, the height follows", .field = FIELD(texts.width)},
    {"height", "PX", "the height of the result; alone, the width follows", .field = FIELD(texts.height)},
    {"fit", "WxH", "the largest result that is at most so wide and so high", .field = FIELD(texts.fit)},
    {"crop", "X,Y,W,H", "only this part of the input, in pixels of the upright image", .field = FIELD(texts.crop)},
    {"strength", "S", "0..1: mix with the plain (bicubic) enlargement (default: 1)", .field = FIELD(texts.strength)},
    {"compression", "LEVEL", ": how small a PNG or WebP becomes, and in what time", .words = format_compression_name,
     .field = FIELD(compression)},
    {"colour", "C", ": what happens to colours that are not sRGB", .words = format_colour_name, .field = FIELD(colour)},
    {"metadata", "M", ": what happens to EXIF and XMP", .words = format_metadata_name, .field = FIELD(metadata)},
    {"provenance", .help = "write into each output which network made it", .field = FIELD(has_provenance)},
    {"animation", .help = "enlarge all frames of animations; into gif, webp or png", .field = FIELD(is_animation)},
    {"strict", .help = "refuse damaged files even if all of their pixels can be read", .field = FIELD(is_strict)},
    {"preserve-times", .help = "give each output the modification time of its input", .field = FIELD(keeps_times)},
    {0},
};

static const struct {
    const char *name;
    size_t offset;
} rows[] = {
    {"scale", offsetof(target_texts, scale)},   {"width", offsetof(target_texts, width)},
    {"height", offsetof(target_texts, height)}, {"fit", offsetof(target_texts, fit)},
    {"crop", offsetof(target_texts, crop)},     {"strength", offsetof(target_texts, strength)},
};

const char *picture_text_name(size_t i) {
    return i < sizeof rows / sizeof rows[0] ? rows[i].name : NULL;
}

const char *picture_text(const picture_options *self, size_t i) {
    return *(const char *const *)(const void *)((const char *)&self->texts + rows[i].offset);
}

bool picture_settle(picture_options *self) {
    for (size_t i = 0; picture_text_name(i); i++) {
        const char *text = picture_text(self, i);
        const char *fault = text ? format_target_take(&self->target, rows[i].name, text) : NULL;
        if (fault) {
            report_error(NULL, "--%s %s: %s", rows[i].name, text, fault);
            return false;
        }
    }
    return true;
}

void picture_apply(const picture_options *self, enlarge_options *options) {
    options->out.quality = self->quality;
    options->out.compression = (format_compression)self->compression;
    options->limits.is_strict = self->is_strict;
    options->metadata = format_metadata_bits(self->colour, self->metadata, self->has_provenance);
    options->target = self->target;
}
