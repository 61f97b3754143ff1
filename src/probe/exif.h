/* SPDX-License-Identifier: Apache-2.0
 * probe/exif.h - the one thing we need from EXIF: which way up the picture is. */
#ifndef SWIN2SR_PROBE_EXIF_H
#define SWIN2SR_PROBE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* data, size  A TIFF block as EXIF has it ("II*\0" or "MM\0*" first), from anywhere. Borrowed.
 * returns     1..8; 1 when the block is damaged or does not say. */
int32_t probe_exif_orientation(const uint8_t *data, size_t size);

#endif
