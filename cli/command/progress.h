/* SPDX-License-Identifier: Apache-2.0
 * cli/command/progress.h - one line on a terminal with the share done, the speed and the time left.
 * It is drawn on stderr if that is a terminal, at most ten times per second, within the width of the terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct progress_line {
    bool is_shown;
    size_t index, count; /* of this input, from 1; of all inputs */
    double pixels;       /* of the input; 0: unknown, and no speed is shown */
    uint64_t start_us;
    uint64_t drawn_us;
    char label[16];     /* what is being done; "": only one thing is */
    double told_left_s; /* of progress_tell; 0: the time left is extrapolated */
    double before;      /* with share: the part of the whole that is done before this */
    double share;       /* of the whole that this is; 0: it is the whole */
} progress_line;

/* Whether stderr is a terminal that can redraw a line. */
bool progress_is_terminal(void);

void progress_init(progress_line *progress, bool is_shown, size_t index, size_t count, double pixels);
void progress_update(progress_line *progress, double done);

/* What is done next, which begins now. A label that is too long is cut. */
void progress_phase(progress_line *progress, const char *label);

/* As progress_update, where somebody else says how many seconds are left. */
void progress_tell(progress_line *progress, double done, double left_s);

/* What follows is one of many: done 0..1 of it counts as before..before + share of the whole, whose time is measured.
 * index  Of it, from 1. */
void progress_share(progress_line *progress, size_t index, double before, double share);

/* Erase the line, which the next update draws again. */
void progress_clear(progress_line *progress);

/* Erase the line. */
void progress_done(progress_line *progress);
