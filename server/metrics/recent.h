/* SPDX-License-Identifier: Apache-2.0
 * metrics/recent.h - how often things of each kind happened in the last hour, to the minute.
 * In: kinds, and the time of a clock that never goes back.  Out: counts. */
#pragma once

#include <stdint.h>

#include "config/limits.h"

#define RECENT_MINUTES 60

typedef struct recent_counts {
    uint32_t counts[LIMIT_PROBLEM_KINDS][RECENT_MINUTES]; /* a minute is at its number modulo RECENT_MINUTES */
    uint64_t minute;                                      /* the newest one that has a place */
} recent_counts;

void recent_add(recent_counts *self, int kind, uint64_t now_s);

/* In the minute of now and the 59 before it. */
uint64_t recent_count(const recent_counts *self, int kind, uint64_t now_s);
