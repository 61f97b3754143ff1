/* SPDX-License-Identifier: Apache-2.0
 * image/frames_row.c - rows of any samples as the RGBA of frames (stages 4 and 8 of 9). Pure. */
#include <string.h>

#include "image/frames_codec.h"

void frames_take_row(const uint8_t *from, int32_t channels, int32_t sample_bytes, int32_t width_px, uint8_t *to) {
    bool has_alpha = channels % 2 == 0;
    int32_t colours = channels - has_alpha;
    for (int32_t x = 0; x < width_px; x++, to += FRAMES_PIXEL_BYTES) {
        uint8_t samples[FRAMES_PIXEL_BYTES];
        for (int32_t c = 0; c < channels; c++, from += sample_bytes) {
            uint16_t wide;
            memcpy(&wide, from, sample_bytes == 2 ? sizeof(wide) : 0);
            samples[c] = sample_bytes == 2 ? (uint8_t)((wide * 255u + 32767) / 65535) : *from;
        }
        for (int32_t c = 0; c < 3; c++)
            to[c] = samples[colours == 1 ? 0 : c];
        to[3] = has_alpha ? samples[channels - 1] : 255;
    }
}
