/* SPDX-License-Identifier: Apache-2.0
 * image/png_mend.h - a PNG whose end is missing, as libpng would read it with its end (stage 4 of 9).
 * libpng reads ahead and fails where the last bytes of the pixel data are missing, though no row depends on them. A
 * mender inflates what is there and gives it back in chunks of its own, whole and with the right checksums. */
#ifndef SWIN2SR_IMAGE_PNG_MEND_H
#define SWIN2SR_IMAGE_PNG_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

/* Does chunk after chunk lead to a whole IEND? */
bool png_has_end(const uint8_t *data, size_t size);

typedef struct png_mender png_mender;

/* Inflates all pixel data once, to know that it is there.
 * data, size  A file that the probe accepts. Borrowed until close.
 * errors      _CORRUPT (rows are missing), _NOMEM. */
swin2sr_status png_mender_open(const uint8_t *data, size_t size, png_mender **ret_mender);

/* The next bytes of the mended file. returns fewer than size at its end. */
size_t png_mender_read(png_mender *mender, uint8_t *bytes, size_t size);
void png_mender_close(png_mender *mender);

#endif
