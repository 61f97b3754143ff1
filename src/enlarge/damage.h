/* SPDX-License-Identifier: Apache-2.0
 * enlarge/damage.h - is a picture damaged: what `--task auto` chooses by (stage 4 of 9, decode). Pure.
 * In: what the header says, and the first rows.  Out: CHOICE_UNDAMAGED, or the first reason against it. A picture about
 * which there is doubt counts as damaged. bench/choice.py measures how often that is right. */
#pragma once

#include "enlarge/rows.h"
#include "format/choice.h"
#include "probe/probe.h"
#include <swin2sr/status.h>

#define DAMAGE_ROWS_MAX 256     /* rows that are looked at, at most; more say little more */
#define DAMAGE_COLUMNS_MAX 1024 /* columns, in the middle of the rows */

typedef struct damage_measures {
    double pixels; /* that were looked at */
    /* Traces of blocks of 8x8 and of 4x4 pixels. At each offset of the blocks, small coefficients of high frequency are
     * counted, and among these the ones that are nearly zero. Where blocks begin, more are, because the compression has
     * rounded them to zero. This is the share at the best offset, minus the median, in standard errors. */
    double jpeg_blocks, webp_blocks;
    double sharpness;    /* second differences against first ones, squared, where there is detail: 12 for white noise */
    double hard_share;   /* of strong edges: those of one step, without a pixel in between */
    double ringing;      /* mean second difference, in levels, in quiet places beside strong edges */
    double ringing_more; /* the same, minus that of quiet places elsewhere */
    double flat_share;   /* of the quiet places beside strong edges: those that are exactly flat; 0: there are none */
} damage_measures;

/* Measure rows that begin at the top of a picture.
 * rows    As of a file, of this kind, stride_bytes apart; transparency is laid over white.
 * errors  _NOMEM: less than 3 MiB is needed. */
swin2sr_status damage_measure(const rows_kind *kind, const uint8_t *rows, size_t stride_bytes, int32_t width_px,
                              int32_t height_px, damage_measures *ret_measures);

/* By the header alone. CHOICE_UNDAMAGED: the rows must decide. */
choice_reason damage_by_header(const probe_info *header);

/* By the rows. */
choice_reason damage_by_measures(const damage_measures *measures);
