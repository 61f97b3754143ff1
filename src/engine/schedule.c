/* SPDX-License-Identifier: Apache-2.0
 * engine/schedule.c - which rows every layer may do next.
 * In: how many input rows there are.  Out: a span of rows for every layer.
 * Invariant: no layer reads a row that the layer before has not finished, and no ring gets more than one step's rows
 * before the layer behind it has taken its own. */
#include "engine/schedule.h"

#include <string.h>

#define WINDOW 8
#define TILE 4

static int32_t min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* Move on to `to`, never backwards. */
static void advance(swin2sr__span *span, int32_t to) {
    span->from = span->to;
    span->to = max(to, span->from);
}

void swin2sr__schedule_init(swin2sr__schedule *schedule, const swin2sr__network *network, int32_t height,
                            int32_t rows) {
    memset(schedule, 0, sizeof *schedule);
    schedule->network = network;
    schedule->height = height;
    schedule->step_rows = rows * WINDOW;
    /* After the first upsampling a row is wide: one at a time (4.1 MB at 4000 pixels x4). */
    schedule->head_rows = network->stages_count == 1 ? height : 1;
}

/* Rows a 3x3 convolution can do when `rows` of its input are there. */
static int32_t convolved(int32_t rows, int32_t height) {
    return rows == height ? height : max(rows - 1, 0);
}

/* The last edge of a row of windows at or before `rows`: multiples of 8, shifted ones 4 mod 8. */
static int32_t window_edge(int32_t rows, bool is_shifted, int32_t height) {
    if (rows == height)
        return height;
    return is_shifted ? (rows + TILE) / WINDOW * WINDOW - (rows >= TILE ? TILE : 0) : rows / WINDOW * WINDOW;
}

bool swin2sr__schedule_step(swin2sr__schedule *s, int32_t available) {
    const swin2sr__network *network = s->network;
    int32_t ready = convolved(available, s->height), wanted = min(s->embed.to + s->step_rows, s->height);
    if (swin2sr__schedule_is_done(s) || ready < wanted)
        return false;
    advance(&s->embed, wanted);
    int32_t rows = s->embed.to;
    for (int32_t g = 0; g < network->config.groups; g++) {
        for (int32_t b = 0; b < network->groups[g].depth; b++) {
            rows = window_edge(rows, network->groups[g].blocks[b].is_shifted, s->height);
            advance(&s->blocks[g][b], rows);
        }
        rows = convolved(rows, s->height);
        rows = min(rows == s->height ? rows : rows / TILE * TILE, s->convs[g].to + s->step_rows);
        advance(&s->convs[g], rows);
        rows = s->convs[g].to;
    }
    advance(&s->after_body, convolved(rows, s->height));
    return true;
}

bool swin2sr__schedule_head(swin2sr__schedule *s) {
    int32_t ready = convolved(s->after_body.to, s->height), height = s->height;
    if (s->stages[0].to >= ready)
        return false;
    int32_t rows = min(ready, s->stages[0].to + s->head_rows);
    for (int32_t i = 0; i < s->network->stages_count; i++) {
        advance(&s->stages[i], rows);
        rows = s->stages[i].to * s->network->stages[i].shuffle;
        height *= s->network->stages[i].shuffle;
        rows = convolved(rows, height);
    }
    return true;
}

bool swin2sr__schedule_is_done(const swin2sr__schedule *s) {
    return s->after_body.to == s->height;
}

double swin2sr__schedule_progress(const swin2sr__schedule *s) {
    double done = 0.0, all = 0.0;
    for (int32_t g = 0; g < s->network->config.groups; g++) {
        for (int32_t b = 0; b < s->network->groups[g].depth; b++)
            done += s->blocks[g][b].to, all += s->height;
    }
    return done / all;
}

static void widen(int32_t *rows, int32_t from, int32_t to) {
    *rows = max(*rows, to - from);
}

static void measure_body(swin2sr__ring_rows *rings, const swin2sr__schedule *s, int32_t available) {
    int32_t groups = s->network->config.groups;
    widen(&rings->input, s->after_body.from - 1, available);
    for (int32_t g = 0; g < groups; g++) {
        swin2sr__span last = s->blocks[g][s->network->groups[g].depth - 1];
        swin2sr__span entered = g ? s->convs[g - 1] : s->embed;
        widen(&rings->tiles[g], last.from / TILE * TILE, (entered.to + TILE - 1) / TILE * TILE);
        widen(&rings->conv_in[g], s->convs[g].from - 1, last.to);
        widen(&rings->residual[g], s->convs[g].from, entered.to);
    }
    widen(&rings->body, s->after_body.from - 1, s->convs[groups - 1].to);
}

static void measure_head(swin2sr__ring_rows *rings, const swin2sr__schedule *s) {
    int32_t made = s->after_body.to;
    for (int32_t i = 0; i < s->network->stages_count; i++) {
        widen(&rings->stages[i], s->stages[i].from - 1, made);
        made = s->stages[i].to * s->network->stages[i].shuffle;
        if (i == s->network->stages_count - 1)
            widen(&rings->output, s->stages[i].from * s->network->stages[i].shuffle, made);
    }
}

swin2sr__ring_rows swin2sr__schedule_measure(const swin2sr__network *network, int32_t height, int32_t rows) {
    swin2sr__ring_rows rings = {0};
    swin2sr__schedule s;
    swin2sr__schedule_init(&s, network, height, rows);
    while (!swin2sr__schedule_is_done(&s)) {
        int32_t available = min(s.embed.to + s.step_rows + 1, height);
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
