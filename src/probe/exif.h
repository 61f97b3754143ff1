/* SPDX-License-Identifier: Apache-2.0
 * probe/exif.h - the orientation of a picture from its EXIF data (stage 2 of 9). */
#pragma once

#include "probe/window.h"

/* at, size  Where the TIFF block of the EXIF data lies in the file ("II*\0" or "MM\0*" first).
 * returns   1..8; 1 if the block is damaged or has no orientation. */
int32_t probe_exif_orientation(probe_window *window, uint64_t at, uint64_t size);
