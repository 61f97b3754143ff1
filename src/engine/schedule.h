/* SPDX-License-Identifier: Apache-2.0
 * engine/schedule.h - which rows every layer has finished and may compute next (inside stage 6 of 9).
 * It only counts rows, from the top of the padded plane. The planner runs all steps of an image before anything is
 * allocated, so the sizes of the rings are exact. */
#pragma once

#include "base/span.h"
#include "model/network.h"

#define SWIN2SR__SCHEDULE_ROWS 4 /* convolutions compute rows by fours, from a multiple of four on */
#define SWIN2SR__CELL 4          /* a cell is 4x4 pixels, [C][16] floats */

/* True if features are stored in cells: a window of 8 is four cells. Other windows have features in plain rows. */
static inline bool swin2sr__has_cells(const swin2sr__network *network) {
    return network->config.window_px == 2 * SWIN2SR__CELL;
}

/* One side of the piece that the engine computes, and its place in the whole image, which the bicubic branch of the aux
 * head needs: it maps the whole padded side onto the unpadded one. */
typedef struct swin2sr__side {
    int32_t px, padded;
    int32_t offset; /* of the piece in the whole side */
    int32_t whole_px, whole_padded;
} swin2sr__side;

/* whole_px: 0: the piece is the whole side. */
swin2sr__side swin2sr__side_of(const swin2sr__network *network, swin2sr_pad pad, int32_t px, int32_t offset,
                               int32_t whole_px);

/* The position of pixel i of the enlarged side on the small side; whole numbers are the centres of pixels. */
double swin2sr__side_source(const swin2sr__side *side, int32_t scale, int32_t i);

typedef struct swin2sr__schedule {
    const swin2sr__network *network;
    swin2sr__side side;  /* rows of the piece; padded is H */
    int32_t shift;       /* of a shifted block: half a window */
    int32_t unit;        /* rows of the features' ring that are kept together: those of a cell, or one */
    int32_t step_rows;   /* rows of windows per step, in pixels */
    int32_t available;   /* input rows in this step */
    swin2sr__span embed; /* into the ring of group 0 */
    swin2sr__span blocks[SWIN2SR__MAX_GROUPS][SWIN2SR__MAX_DEPTH];
    swin2sr__span narrows[SWIN2SR__MAX_GROUPS]; /* the first two of three body convolutions */
    swin2sr__span convs[SWIN2SR__MAX_GROUPS];   /* into the ring of the next group, the last one into the body ring */
    swin2sr__span body_narrow;
    swin2sr__span after_body;
    swin2sr__span stages[SWIN2SR__MAX_STAGES]; /* in rows of each stage's input */
    swin2sr__span bicubic, cubic;              /* aux head: enlarged pixels, and their convolution */
} swin2sr__schedule;

/* The most rows that each ring holds, found by running the schedule. */
typedef struct swin2sr__ring_rows {
    int32_t input;                         /* low-resolution pixels */
    int32_t features[SWIN2SR__MAX_GROUPS]; /* inside the blocks; a multiple of the unit */
    int32_t conv_in[SWIN2SR__MAX_GROUPS];  /* last block's output */
    int32_t narrow[SWIN2SR__MAX_GROUPS];   /* output of the narrow part */
    int32_t residual[SWIN2SR__MAX_GROUPS]; /* the group's input */
    int32_t body;
    int32_t body_narrow;
    int32_t stages[SWIN2SR__MAX_STAGES]; /* inputs of the head's stages */
    int32_t bicubic, cubic;
    int32_t aux;     /* rows of the second output that one step makes */
    int32_t output;  /* enlarged rows that one step makes */
    int32_t widest;  /* the most rows that one step computes of a block, or of a narrow part */
    int32_t latency; /* input rows before the first output row */
} swin2sr__ring_rows;

void swin2sr__schedule_init(swin2sr__schedule *schedule, const swin2sr__network *network, const swin2sr__side *side,
                            int32_t rows);

/* Plan the next step of the body. available: padded input rows so far. false: more are needed, or all are done. */
bool swin2sr__schedule_step(swin2sr__schedule *schedule, int32_t available);
/* Plan the next piece of the head from the rows that the body has finished: four rows of the deepest stage that has
 * input for them, so that rings stay small (a row of 64 channels is 4.1 MB at 4000 pixels x4), or all rows if there is
 * only one stage. false: nothing to do. */
bool swin2sr__schedule_head(swin2sr__schedule *schedule);
bool swin2sr__schedule_is_done(const swin2sr__schedule *schedule);
/* The share of all blocks' rows that is done, 0..1. */
double swin2sr__schedule_progress(const swin2sr__schedule *schedule);

/* Run the schedule over the whole height and measure the rings. */
swin2sr__ring_rows swin2sr__schedule_measure(const swin2sr__network *network, const swin2sr__side *side, int32_t rows);
