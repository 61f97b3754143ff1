/* SPDX-License-Identifier: Apache-2.0
 * format/target.c - which part of an image is enlarged, to which size, and how strongly. Arithmetic only. */
#include "format/target.h"

#include <stdio.h>
#include <string.h>

/* Read a whole number of up to seven digits. returns what follows it; NULL: there is none. */
static const char *take_number(const char *text, uint32_t *ret_number) {
    size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 7)
        return NULL;
    *ret_number = 0;
    for (size_t i = 0; i < digits; i++)
        *ret_number = *ret_number * 10 + (uint32_t)(text[i] - '0');
    return text + digits;
}

/* Read a number with up to three decimals, times 1000. false: it is not one. */
static bool take_milli(const char *text, uint32_t *ret_milli) {
    uint32_t whole, decimals = 0;
    const char *end = take_number(text, &whole);
    if (end == NULL || whole > TARGET_SIDE_MAX)
        return false;
    if (*end == '.') {
        size_t digits = strspn(++end, "0123456789");
        if (digits < 1 || digits > 3)
            return false;
        for (size_t i = 0; i < 3; i++)
            decimals = decimals * 10 + (i < digits ? (uint32_t)(end[i] - '0') : 0);
        end += digits;
    }
    *ret_milli = whole * 1000 + decimals;
    return *end == '\0';
}

static bool is_side(uint32_t side_px) {
    return side_px >= 1 && side_px <= TARGET_SIDE_MAX;
}

static const char *take_scale(format_target *self, const char *value) {
    if (self->width_px || self->height_px)
        return "cannot be given together with width, height or fit";
    if (!take_milli(value, &self->scale_milli) || self->scale_milli < 1 || self->scale_milli > TARGET_SCALE_MAX) {
        self->scale_milli = 0;
        return "not a number from 0.001 to 16 with up to three decimals";
    }
    return NULL;
}

/* side: where it goes. */
static const char *take_side(format_target *self, uint32_t *side, const char *value) {
    uint32_t number;
    const char *end = take_number(value, &number);
    if (self->scale_milli || self->is_fit)
        return "cannot be given together with scale or fit";
    if (end == NULL || *end || !is_side(number))
        return "not a whole number of pixels from 1 to 1000000";
    *side = number;
    return NULL;
}

static const char *take_fit(format_target *self, const char *value) {
    uint32_t width = 0, height = 0;
    const char *end = take_number(value, &width);
    if (self->scale_milli || self->width_px || self->height_px)
        return "cannot be given together with scale, width or height";
    if (end != NULL)
        end = *end == 'x' ? take_number(end + 1, &height) : NULL;
    if (end == NULL || *end || !is_side(width) || !is_side(height))
        return "not WIDTHxHEIGHT, each from 1 to 1000000";
    self->width_px = width;
    self->height_px = height;
    self->is_fit = 1;
    return NULL;
}

static const char *take_crop(format_target *self, const char *value) {
    uint32_t numbers[4];
    const char *at = value;
    for (int i = 0; i < 4 && at != NULL; i++) {
        if (i > 0)
            at = *at == ',' ? at + 1 : NULL;
        at = at != NULL ? take_number(at, &numbers[i]) : NULL;
    }
    if (at == NULL || *at || numbers[0] > TARGET_SIDE_MAX || numbers[1] > TARGET_SIDE_MAX || !is_side(numbers[2]) ||
        !is_side(numbers[3]))
        return "not X,Y,WIDTH,HEIGHT in pixels of the upright image";
    self->crop_x_px = numbers[0];
    self->crop_y_px = numbers[1];
    self->crop_width_px = numbers[2];
    self->crop_height_px = numbers[3];
    return NULL;
}

static const char *take_strength(format_target *self, const char *value) {
    uint32_t parts;
    if (!take_milli(value, &parts) || parts > TARGET_PARTS_ONE)
        return "not a number from 0 to 1 with up to three decimals";
    self->plain_parts = TARGET_PARTS_ONE - parts;
    return NULL;
}

const char *format_target_take(format_target *self, const char *name, const char *value) {
    return strcmp(name, "scale") == 0    ? take_scale(self, value)
           : strcmp(name, "width") == 0  ? take_side(self, &self->width_px, value)
           : strcmp(name, "height") == 0 ? take_side(self, &self->height_px, value)
           : strcmp(name, "fit") == 0    ? take_fit(self, value)
           : strcmp(name, "crop") == 0   ? take_crop(self, value)
                                         : take_strength(self, value);
}

bool format_target_is_sound(const format_target *self) {
    return self->scale_milli <= TARGET_SCALE_MAX && self->width_px <= TARGET_SIDE_MAX &&
           self->height_px <= TARGET_SIDE_MAX && self->is_fit <= (uint32_t)(self->width_px && self->height_px) &&
           self->crop_x_px <= TARGET_SIDE_MAX && self->crop_y_px <= TARGET_SIDE_MAX &&
           self->crop_width_px <= TARGET_SIDE_MAX && self->crop_height_px <= TARGET_SIDE_MAX &&
           !self->crop_width_px == !self->crop_height_px && self->plain_parts <= TARGET_PARTS_ONE &&
           (!self->scale_milli || (!self->width_px && !self->height_px));
}

bool format_target_part(const format_target *self, int32_t width_px, int32_t height_px, int32_t *ret_width_px,
                        int32_t *ret_height_px) {
    *ret_width_px = width_px;
    *ret_height_px = height_px;
    if (!self->crop_width_px)
        return true;
    if ((int64_t)self->crop_x_px + self->crop_width_px > width_px ||
        (int64_t)self->crop_y_px + self->crop_height_px > height_px)
        return false;
    *ret_width_px = (int32_t)self->crop_width_px;
    *ret_height_px = (int32_t)self->crop_height_px;
    return true;
}

/* side * numerator / denominator, rounded, 1..INT32_MAX. */
static int32_t times(int32_t side_px, uint64_t numerator, uint64_t denominator) {
    uint64_t result = ((uint64_t)side_px * numerator + denominator / 2) / denominator;
    return result < 1 ? 1 : result > INT32_MAX ? INT32_MAX : (int32_t)result;
}

void format_target_size(const format_target *self, int32_t width_px, int32_t height_px, int32_t factor,
                        int32_t *ret_width_px, int32_t *ret_height_px) {
    uint64_t wide = self->width_px, high = self->height_px;
    bool is_by_width = wide && !high, is_by_height = high && !wide;
    if (self->is_fit) { /* the side that reaches its limit first */
        is_by_width = wide * (uint64_t)height_px <= high * (uint64_t)width_px;
        is_by_height = !is_by_width;
    }
    if (is_by_width) {
        *ret_width_px = (int32_t)wide;
        *ret_height_px = times(height_px, wide, (uint64_t)width_px);
    } else if (is_by_height) {
        *ret_width_px = times(width_px, high, (uint64_t)height_px);
        *ret_height_px = (int32_t)high;
    } else if (wide) {
        *ret_width_px = (int32_t)wide;
        *ret_height_px = (int32_t)high;
    } else {
        uint64_t scale_milli = self->scale_milli ? self->scale_milli : (uint64_t)factor * TARGET_SCALE_ONE;
        *ret_width_px = times(width_px, scale_milli, TARGET_SCALE_ONE);
        *ret_height_px = times(height_px, scale_milli, TARGET_SCALE_ONE);
    }
}

/* "3", "1.5", "0.125" */
static int print_milli(char *text, size_t size, uint32_t milli) {
    int length = snprintf(text, size, "%u.%03u", (unsigned)(milli / 1000), (unsigned)(milli % 1000));
    while (text[length - 1] == '0')
        text[--length] = '\0';
    if (text[length - 1] == '.')
        text[--length] = '\0';
    return length;
}

void format_target_suffix(const format_target *self, int32_t factor, char ret_text[TARGET_TEXT_BYTES]) {
    size_t size = TARGET_TEXT_BYTES, at = 0;
    if (self->width_px && self->height_px)
        at =
            (size_t)snprintf(ret_text, size, "_%ux%u%s", self->width_px, self->height_px, self->is_fit ? "" : "_exact");
    else if (self->width_px || self->height_px)
        at = (size_t)snprintf(ret_text, size, "_%c%u", self->width_px ? 'w' : 'h',
                              self->width_px ? self->width_px : self->height_px);
    else {
        memcpy(ret_text, "_x", 2);
        at = 2 + (size_t)print_milli(ret_text + 2, size - 2,
                                     self->scale_milli ? self->scale_milli : (uint32_t)factor * TARGET_SCALE_ONE);
    }
    if (self->crop_width_px)
        at += (size_t)snprintf(ret_text + at, size - at, "_crop%u-%u-%u-%u", self->crop_x_px, self->crop_y_px,
                               self->crop_width_px, self->crop_height_px);
    if (self->plain_parts) {
        memcpy(ret_text + at, "_s", 2);
        print_milli(ret_text + at + 2, size - at - 2, TARGET_PARTS_ONE - self->plain_parts);
    }
}
