/* SPDX-License-Identifier: Apache-2.0
 * engine/schedule.c - which rows every layer may compute next.
 * In: how many input rows there are.  Out: a span of rows for every layer.
 * Invariant: no layer reads a row that the layer before it has not finished, and no ring receives more than the rows of
 * one step before the layer after it has read its rows. */
#include "engine/schedule.h"

#include <math.h>
#include <string.h>

#define CONV_ROWS SWIN2SR__SCHEDULE_ROWS
#define CUBIC_BEFORE 1 /* rows that bicubic interpolation reads above and below that of its source position */
#define CUBIC_AFTER 2

/* Continue the span to `to`; never backwards. */
static void advance(swin2sr__span *span, int32_t to) {
    span->from = span->to;
    span->to = swin2sr__max(to, span->from);
}

swin2sr__side swin2sr__side_of(const swin2sr__network *network, swin2sr_pad pad, int32_t px, int32_t offset,
                               int32_t whole_px) {
    swin2sr__side side = {.px = px, .offset = offset, .whole_px = whole_px ? whole_px : px};
    side.padded = swin2sr__network_padded(network, side.px, pad);
    side.whole_padded = swin2sr__network_padded(network, side.whole_px, pad);
    return side;
}

double swin2sr__side_source(const swin2sr__side *side, int32_t scale, int32_t i) {
    double step = (double)side->whole_padded / ((double)side->whole_px * scale);
    return ((double)side->offset * scale + i + 0.5) * step - 0.5 - side->offset;
}

void swin2sr__schedule_init(swin2sr__schedule *schedule, const swin2sr__network *network, const swin2sr__side *side,
                            int32_t rows) {
    memset(schedule, 0, sizeof *schedule);
    schedule->network = network;
    schedule->side = *side;
    schedule->shift = network->config.window_px / 2;
    schedule->unit = swin2sr__has_cells(network) ? SWIN2SR__CELL : 1;
    schedule->step_rows = rows * network->config.window_px;
}

/* The rows that a 3x3 convolution can compute from `rows` rows of input. */
static int32_t covered(int32_t rows, int32_t height) {
    return rows == height ? height : swin2sr__max(rows - 1, 0);
}

/* The rows that a 3x3 convolution can compute if it computes four at a time. */
static int32_t convolved(int32_t rows, int32_t height) {
    return rows == height ? height : covered(rows, height) / CONV_ROWS * CONV_ROWS;
}

/* The last edge of a row of windows at or before `rows`. Edges of shifted windows lie half a window further down. */
static int32_t window_edge(const swin2sr__schedule *s, int32_t rows, bool is_shifted) {
    int32_t window = s->network->config.window_px, shift = is_shifted ? s->shift : 0;
    if (rows == s->side.padded)
        return rows;
    return rows < shift ? 0 : (rows - shift) / window * window + shift;
}

bool swin2sr__schedule_step(swin2sr__schedule *s, int32_t available) {
    const swin2sr__network *network = s->network;
    int32_t H = s->side.padded, ready = covered(available, H), wanted = swin2sr__min(s->embed.to + s->step_rows, H);
    if (swin2sr__schedule_is_done(s) || ready < wanted)
        return false;
    s->available = available;
    advance(&s->embed, wanted);
    int32_t rows = s->embed.to;
    for (int32_t g = 0; g < network->config.groups; g++) {
        for (int32_t b = 0; b < network->config.depths[g]; b++) {
            rows = window_edge(s, rows, swin2sr__network_is_shifted(b));
            advance(&s->blocks[g][b], rows);
        }
        if (swin2sr__network_narrow(network)) {
            rows = convolved(rows, H);
            advance(&s->narrows[g], rows);
        }
        rows =
            swin2sr__min(convolved(rows, H), s->convs[g].to + (s->step_rows + CONV_ROWS - 1) / CONV_ROWS * CONV_ROWS);
        advance(&s->convs[g], rows);
        rows = s->convs[g].to;
    }
    if (swin2sr__network_narrow(network)) {
        rows = convolved(rows, H);
        advance(&s->body_narrow, rows);
    }
    advance(&s->after_body, convolved(rows, H));
    return true;
}

/* The bicubically enlarged rows that the input allows, at most `wanted`. */
static int32_t bicubic_rows(const swin2sr__schedule *s, int32_t wanted) {
    int32_t scale = s->network->config.scale, rows = s->bicubic.to;
    while (rows < wanted && (s->available == s->side.padded ||
                             (int32_t)floor(swin2sr__side_source(&s->side, scale, rows)) + CUBIC_AFTER < s->available))
        rows++;
    return rows;
}

/* Rows of the last stage's input that both of its parts have. The bicubic part has the image's unpadded height. */
static int32_t joined_rows(swin2sr__schedule *s, int32_t rows, int32_t height) {
    rows = swin2sr__min(rows, height);
    advance(&s->bicubic, bicubic_rows(s, swin2sr__min(rows + 1, height)));
    advance(&s->cubic, swin2sr__min(rows, covered(s->bicubic.to, height)));
    return s->cubic.to;
}

bool swin2sr__schedule_head(swin2sr__schedule *s) {
    const swin2sr__network *network = s->network;
    int32_t rows = s->after_body.to, height = s->side.padded, last = network->stages_count - 1, next = -1, to = 0;
    for (int32_t i = 0; i <= last; i++) {
        if (i == last && swin2sr__network_has_aux(network)) {
            height = s->side.px * network->config.scale;
            rows = joined_rows(s, rows, height);
        }
        rows = convolved(rows, height);
        if (rows > s->stages[i].to)
            next = i, to = last ? swin2sr__min(rows, s->stages[i].to + CONV_ROWS) : rows;
        rows = s->stages[i].to * network->stages[i].shuffle;
        height *= network->stages[i].shuffle;
    }
    for (int32_t i = 0; i <= last; i++)
        advance(&s->stages[i], i == next ? to : 0);
    return next >= 0 || s->bicubic.to > s->bicubic.from || s->cubic.to > s->cubic.from;
}

bool swin2sr__schedule_is_done(const swin2sr__schedule *s) {
    return s->after_body.to == s->side.padded;
}

double swin2sr__schedule_progress(const swin2sr__schedule *s) {
    double done = 0.0, all = 0.0;
    for (int32_t g = 0; g < s->network->config.groups; g++) {
        for (int32_t b = 0; b < s->network->config.depths[g]; b++)
            done += s->blocks[g][b].to, all += s->side.padded;
    }
    return done / all;
}

static void widen(int32_t *rows, int32_t from, int32_t to) {
    *rows = swin2sr__max(*rows, to - from);
}

/* The first input row that is still needed after the convolutions of this step. */
static int32_t first_input_row(const swin2sr__schedule *s) {
    int32_t first = s->after_body.from - 1;
    if (s->network->config.head == SWIN2SR__HEAD_NONE)
        first = swin2sr__min(first, s->stages[0].to);
    if (swin2sr__network_has_aux(s->network)) {
        double source = swin2sr__side_source(&s->side, s->network->config.scale, s->bicubic.to);
        first = swin2sr__min(first, (int32_t)floor(source) - CUBIC_BEFORE);
    }
    return first;
}

static void measure_body(swin2sr__ring_rows *rings, const swin2sr__schedule *s, int32_t available) {
    int32_t groups = s->network->config.groups;
    widen(&rings->input, first_input_row(s), available);
    for (int32_t g = 0; g < groups; g++) {
        for (int32_t b = 0; b < s->network->config.depths[g]; b++)
            widen(&rings->widest, s->blocks[g][b].from, s->blocks[g][b].to);
        widen(&rings->widest, s->narrows[g].from, s->narrows[g].to);
        swin2sr__span last = s->blocks[g][s->network->config.depths[g] - 1];
        swin2sr__span entered = g ? s->convs[g - 1] : s->embed, conv = s->convs[g];
        widen(&rings->features[g], last.from / s->unit * s->unit, (entered.to + s->unit - 1) / s->unit * s->unit);
        if (swin2sr__network_narrow(s->network)) {
            widen(&rings->narrow[g], conv.from - 1, s->narrows[g].to);
            conv = s->narrows[g];
        }
        widen(&rings->conv_in[g], conv.from - 1, last.to);
        widen(&rings->residual[g], s->convs[g].from, entered.to);
    }
    widen(&rings->widest, s->body_narrow.from, s->body_narrow.to);
    swin2sr__span reader = s->after_body;
    if (swin2sr__network_narrow(s->network)) {
        widen(&rings->body_narrow, reader.from - 1, s->body_narrow.to);
        reader = s->body_narrow;
    }
    widen(&rings->body, reader.from - 1, s->convs[groups - 1].to);
}

static void measure_head(swin2sr__ring_rows *rings, const swin2sr__schedule *s) {
    int32_t made = s->after_body.to, last = s->network->stages_count - 1;
    for (int32_t i = 0; i <= last; i++) {
        widen(&rings->stages[i], s->stages[i].from - 1, made);
        made = s->stages[i].to * s->network->stages[i].shuffle;
    }
    widen(&rings->output, s->stages[last].from * s->network->stages[last].shuffle, made);
    if (swin2sr__network_has_aux(s->network)) {
        widen(&rings->aux, s->stages[SWIN2SR__AUX_STAGE].from, s->stages[SWIN2SR__AUX_STAGE].to);
        widen(&rings->bicubic, s->cubic.from - 1, s->bicubic.to);
        widen(&rings->cubic, s->stages[last].from - 1, s->cubic.to);
    }
}

swin2sr__ring_rows swin2sr__schedule_measure(const swin2sr__network *network, const swin2sr__side *side, int32_t rows) {
    swin2sr__ring_rows rings = {0};
    swin2sr__schedule s;
    swin2sr__schedule_init(&s, network, side, rows);
    while (!swin2sr__schedule_is_done(&s)) {
        int32_t available = swin2sr__min(s.embed.to + s.step_rows + 1, side->padded);
        swin2sr__schedule_step(&s, available);
        measure_body(&rings, &s, available);
        while (swin2sr__schedule_head(&s)) {
            measure_head(&rings, &s);
            if (!rings.latency && rings.output)
                rings.latency = available;
        }
    }
    return rings;
}
