/* SPDX-License-Identifier: Apache-2.0
 * image/png_repair.h - turn a PNG whose end is missing into one that libpng reads (stage 4 of 9).
 * libpng reads ahead, and fails if the last bytes of the pixel data are missing even though no row depends on them. A
 * repair inflates the pixel data that is there and writes it into new chunks with correct checksums. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

/* Whether the chunks of a file are complete up to a valid IEND. Their checksums are not compared. */
bool png_has_end(const uint8_t *data, size_t size);

typedef struct png_repair png_repair;

/* Start a repair. Inflates all pixel data once to check that no row is missing.
 * data, size  A file that probe_bytes accepts. Borrowed until close.
 * errors      _CORRUPT (rows are missing), _NOMEM. */
swin2sr_status png_repair_open(const uint8_t *data, size_t size, png_repair **ret_mender);

/* Get the next bytes of the repaired file. returns how many; fewer than size at its end. */
size_t png_repair_read(png_repair *repair, uint8_t *bytes, size_t size);
void png_repair_close(png_repair *repair);
