/* SPDX-License-Identifier: Apache-2.0
 * image/xmp.c - an XMP packet of an image that was turned upright and enlarged (stage 8 of 9, encode).
 * In: XML text.  Out: a changed copy. Values are found by the names of their properties, as attributes or as elements,
 * under the prefixes that every writer uses; nothing else of the XML is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/exif.h"

#define EDITS_MAX 64       /* further values stay as they are */
#define VALUE_MAX_BYTES 24 /* of a value, old or new */

typedef enum xmp_value {
    VALUE_ONE,
    VALUE_WIDTH,
    VALUE_HEIGHT,
    VALUE_RESOLUTION, /* a fraction, multiplied */
} xmp_value;

static const struct {
    const char *name;
    xmp_value value;
} properties[] = {
    {"tiff:Orientation", VALUE_ONE},        {"tiff:ImageWidth", VALUE_WIDTH},
    {"tiff:ImageLength", VALUE_HEIGHT},     {"exif:PixelXDimension", VALUE_WIDTH},
    {"exif:PixelYDimension", VALUE_HEIGHT}, {"tiff:XResolution", VALUE_RESOLUTION},
    {"tiff:YResolution", VALUE_RESOLUTION},
};

static const char thumbnails_start[] = "<xmp:Thumbnails", thumbnails_end[] = "</xmp:Thumbnails>";

/* The packet that is read and the copy that is made of it. */
typedef struct xmp_text {
    const char *in;
    size_t size, at;
    char *out;
    size_t made;
    int edits;
} xmp_text;

static bool is_space(char character) {
    return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

/* Whether text lies at a place, all of it. */
static bool lies_at(const xmp_text *text, size_t at, const char *wanted) {
    size_t length = strlen(wanted);
    return length <= text->size - at && memcmp(text->in + at, wanted, length) == 0;
}

/* Copy everything up to a place. */
static void copy_to(xmp_text *text, size_t at) {
    memcpy(text->out + text->made, text->in + text->at, at - text->at);
    text->made += at - text->at;
    text->at = at;
}

/* Where the value of a property begins whose name ends at a place; 0: this is not a property. */
static size_t value_at(const xmp_text *text, size_t at, bool is_element) {
    if (is_element)
        return at < text->size && text->in[at] == '>' ? at + 1 : 0;
    while (at < text->size && is_space(text->in[at]))
        at++;
    if (at >= text->size || text->in[at] != '=')
        return 0;
    for (at++; at < text->size && is_space(text->in[at]);)
        at++;
    return at < text->size && (text->in[at] == '"' || text->in[at] == '\'') ? at + 1 : 0;
}

static void make_value(xmp_value kind, const exif_change *change, const char *old, char made[VALUE_MAX_BYTES + 1]) {
    unsigned long over = 0, under = 1;
    if (kind == VALUE_RESOLUTION && sscanf(old, "%9lu/%9lu", &over, &under) >= 1 && (double)over * change->times < 1e9)
        snprintf(made, VALUE_MAX_BYTES + 1, "%.0f/%lu", (double)over * change->times, under);
    else if (kind == VALUE_RESOLUTION)
        snprintf(made, VALUE_MAX_BYTES + 1, "%s", old);
    else
        snprintf(made, VALUE_MAX_BYTES + 1, "%d",
                 kind == VALUE_ONE     ? 1
                 : kind == VALUE_WIDTH ? (int)change->width_px
                                       : (int)change->height_px);
}

/* If a property that changes is named at a place, copy up to its value and write the new one. */
static void take_property(xmp_text *text, size_t at, const exif_change *change) {
    bool is_element = at > 0 && text->in[at - 1] == '<';
    if (at == 0 || text->edits == EDITS_MAX || (!is_element && !is_space(text->in[at - 1])))
        return;
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        if (!lies_at(text, at, properties[i].name))
            continue;
        size_t value = value_at(text, at + strlen(properties[i].name), is_element), length = 0;
        char old[VALUE_MAX_BYTES + 1] = "", made[VALUE_MAX_BYTES + 1];
        while (value > 0 && length < VALUE_MAX_BYTES && value + length < text->size &&
               strchr("0123456789/", text->in[value + length]) != NULL && text->in[value + length] != '\0') {
            old[length] = text->in[value + length];
            length++;
        }
        if (length == 0)
            return;
        copy_to(text, value);
        make_value(properties[i].value, change, old, made);
        memcpy(text->out + text->made, made, strlen(made));
        text->made += strlen(made);
        text->at = value + length;
        text->edits++;
        return;
    }
}

/* Leave thumbnails out that begin at a place. returns false if they have no end. */
static bool skip_thumbnails(xmp_text *text, size_t at) {
    if (!lies_at(text, at, thumbnails_start))
        return true;
    const char *end = memmem(text->in + at, text->size - at, thumbnails_end, sizeof(thumbnails_end) - 1);
    if (end == NULL)
        return false;
    copy_to(text, at);
    text->at = (size_t)(end - text->in) + sizeof(thumbnails_end) - 1;
    return true;
}

swin2sr_status xmp_edit(const image_block *xmp, const exif_change *change, uint8_t **ret_bytes, size_t *ret_size) {
    if (xmp->size == 0 || xmp->size > IMAGE_XMP_MAX_BYTES || memchr(xmp->data, 0, xmp->size) != NULL)
        return SWIN2SR_CORRUPT;
    xmp_text text = {.in = (const char *)xmp->data, .size = xmp->size};
    text.out = malloc(xmp->size + EDITS_MAX * VALUE_MAX_BYTES);
    if (text.out == NULL)
        return SWIN2SR_NOMEM;
    for (size_t at = 0; at < text.size; at = at < text.at ? text.at : at + 1) {
        if (text.in[at] != '<' && text.in[at] != 't' && text.in[at] != 'e')
            continue;
        if (!skip_thumbnails(&text, at)) {
            free(text.out);
            return SWIN2SR_CORRUPT;
        }
        if (at >= text.at)
            take_property(&text, at, change);
    }
    copy_to(&text, text.size);
    *ret_bytes = (uint8_t *)text.out;
    *ret_size = text.made;
    return SWIN2SR_OK;
}
