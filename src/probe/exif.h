/* SPDX-License-Identifier: Apache-2.0
 * probe/exif.h - the one thing we need from EXIF: which way up the picture is. */
#ifndef SWIN2SR_PROBE_EXIF_H
#define SWIN2SR_PROBE_EXIF_H

#include "probe/window.h"

/* at, size  Where the TIFF block of the EXIF data lies in the file ("II*\0" or "MM\0*" first).
 * returns   1..8; 1 when the block is damaged or does not say. */
int32_t probe_exif_orientation(probe_window *window, uint64_t at, uint64_t size);

#endif
