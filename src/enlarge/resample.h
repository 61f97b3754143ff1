/* SPDX-License-Identifier: Apache-2.0
 * enlarge/resample.h - bring enlarged rows to another size (stage 7 of 9, assemble).
 * In: rows of 8- or 16-bit samples, top to bottom.  Out: rows of the same kind, in another size.
 * A side that gets smaller is filtered with Lanczos-3, one that grows with a cubic (Catmull-Rom), which is sharp enough
 * and rings less. If a side gets smaller, light is averaged and not numbers: samples are taken as sRGB and filtered in
 * linear light, so that fine bright lines keep their brightness. Colours count as much as they are opaque. Rows are
 * filtered as they come; a ring holds as many as the filter spans, so memory grows with the width only. */
#pragma once

#include "enlarge/changes.h"
#include "enlarge/rows.h"
#include <swin2sr/status.h>

typedef struct resample resample;

/* kind     Of all rows. channels 2 and 4: the last one is alpha.
 * errors   _NOMEM. */
swin2sr_status resample_open(const rows_kind *kind, int32_t in_width_px, int32_t in_height_px, int32_t out_width_px,
                             int32_t out_height_px, resample **ret_resample);
void resample_close(resample *self);

/* Begin again, for a part of the result only: its rows have the pixels of the part.
 * returns  The first row of the input that is to be pushed. */
int32_t resample_begin(resample *self, changes_area part);

/* The part of the result that depends on a part of the input. */
changes_area resample_reach(const resample *self, changes_area part);

/* Take the next row, of which all pixels must be there. Then call resample_next until it returns NULL. */
void resample_push(resample *self, const uint8_t *row);

/* The next row of the result, valid until the next call; NULL: it needs more rows, or all have been returned. */
const uint8_t *resample_next(resample *self);
