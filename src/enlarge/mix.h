/* SPDX-License-Identifier: Apache-2.0
 * enlarge/mix.h - mix the network's rows with the plain (bicubic) enlargement of the input (stage 7 of 9).
 * The plain rows are made beside the network, as alpha is: memory grows with the width only. */
#pragma once

#include "base/alpha.h"
#include "enlarge/rows.h"

#define MIX_COLOURS 3

typedef struct mix {
    int32_t colours;      /* 0: nothing is mixed */
    uint32_t plain_parts; /* of 1000 */
    rows_kind from, to;
    size_t width_px; /* of the output */
    uint16_t *plain; /* [width_px]: samples of one colour */
    swin2sr__alpha_ring rings[MIX_COLOURS];
} mix;

/* lag_rows  As of swin2sr__alpha_ring_init, whose errors it returns.
 * self      Zeroes before; mix_done afterwards, also after a failure. */
swin2sr_status mix_init(mix *self, uint32_t plain_parts, const rows_kind *from, const rows_kind *to, int32_t width_px,
                        int32_t height_px, int32_t scale, int32_t lag_rows);
void mix_done(mix *self);

/* Take n rows of the file. */
void mix_push(mix *self, const uint8_t *rows, size_t row_bytes, int32_t n);

/* Mix row y of the output, in place: its colours, of the kind `to`. */
swin2sr_status mix_row(mix *self, int32_t y, uint8_t *row);
