/* SPDX-License-Identifier: Apache-2.0
 * image/colour.c - convert the rows of a decoder to the colours that a reader delivers (stage 4 of 9).
 * In: rows of inks.  Out: rows of sRGB, of the same depth. */
#include "image/colour.h"

#include <stdlib.h>

#include "base/error.h"

struct image_colour {
    bool is_16;
};

swin2sr_status image_colour_open(const image_decoder *decoder, image_colour **ret_colour, uint32_t *notes,
                                 swin2sr_error *reterr) {
    image_colour *colour = calloc(1, sizeof(*colour));
    if (colour == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to convert the colours");
    colour->is_16 = decoder->sample_bytes == 2;
    *notes |= NOTE_CMYK_GUESSED;
    *ret_colour = colour;
    return SWIN2SR_OK;
}

/* Without a profile: each ink absorbs its share of one primary, black its share of all three. */
#define INKS_TO_RGB(type, top)                                                                  \
    static void inks_to_rgb_##type(const type *inks, type *rgb, int32_t width_px) {             \
        for (int32_t x = 0; x < width_px; x++, inks += 4, rgb += 3)                             \
            for (int c = 0; c < 3; c++)                                                         \
                rgb[c] = (type)(((uint64_t)(top - inks[c]) * (top - inks[3]) + top / 2) / top); \
    }
INKS_TO_RGB(uint8_t, 255u)
INKS_TO_RGB(uint16_t, 65535u)

void image_colour_apply(const image_colour *colour, const void *from, void *to, int32_t width_px) {
    if (colour->is_16)
        inks_to_rgb_uint16_t(from, to, width_px);
    else
        inks_to_rgb_uint8_t(from, to, width_px);
}

void image_colour_close(image_colour *colour) {
    free(colour);
}
