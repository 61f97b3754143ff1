/* SPDX-License-Identifier: Apache-2.0
 * metrics/recent.c - a ring of minutes for each kind. */
#include "metrics/recent.h"

/* Make room for the minutes that have begun since the last call. */
static void advance(recent_counts *self, uint64_t minute) {
    if (minute > self->minute + RECENT_MINUTES)
        self->minute = minute - RECENT_MINUTES;
    while (self->minute < minute) {
        self->minute++;
        for (int kind = 0; kind < LIMIT_PROBLEM_KINDS; kind++)
            self->counts[kind][self->minute % RECENT_MINUTES] = 0;
    }
}

void recent_add(recent_counts *self, int kind, uint64_t now_s) {
    advance(self, now_s / 60);
    self->counts[kind][self->minute % RECENT_MINUTES]++;
}

uint64_t recent_count(const recent_counts *self, int kind, uint64_t now_s) {
    uint64_t sum = 0;
    for (uint64_t minute = now_s / 60, i = 0; i < RECENT_MINUTES && i <= minute; i++)
        if (minute - i <= self->minute)
            sum += self->counts[kind][(minute - i) % RECENT_MINUTES];
    return sum;
}
