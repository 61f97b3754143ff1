/* SPDX-License-Identifier: Apache-2.0
 * cli/command/progress.c - the progress line: "2/5  41% [########            ] 0.12 Mpx/s  eta 1:07". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "progress.h"

#define REDRAW_US 100000u
#define DEFAULT_COLUMNS 80
#define MAX_BAR 50

bool progress_is_terminal(void) {
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void progress_init(progress_line *progress, bool is_shown, size_t index, size_t count, double pixels) {
    *progress = (struct progress_line){.is_shown = is_shown && progress_is_terminal(),
                                       .index = index,
                                       .count = count,
                                       .pixels = pixels,
                                       .start_us = swin2sr__clock_us()};
}

static int columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS;
}

/* The text after the bar; empty until enough is done for a prediction. */
static void format_rate(char *text, size_t size, const progress_line *progress, double done, double seconds) {
    text[0] = '\0';
    bool is_told = progress->told_left_s > 0 && progress->share == 0;
    if (!is_told && (done <= 0 || seconds < 0.2))
        return;
    long left = (long)((is_told ? progress->told_left_s : seconds * (1 - done) / done) + 0.5);
    double rate = progress->pixels * done / seconds / 1e6;
    char clock[32];
    if (left < 3600)
        snprintf(clock, sizeof(clock), "%ld:%02ld", left / 60, left % 60);
    else
        snprintf(clock, sizeof(clock), "%ld:%02ld:%02ld", left / 3600, left / 60 % 60, left % 60);
    if (progress->pixels > 0)
        snprintf(text, size, " %.*f Mpx/s  eta %s", rate < 1 ? 3 : 1, rate, clock);
    else
        snprintf(text, size, " eta %s", clock);
}

void progress_update(progress_line *progress, double done) {
    uint64_t now = swin2sr__clock_us();
    if (!progress->is_shown || now - progress->drawn_us < REDRAW_US)
        return;
    progress->drawn_us = now;
    if (progress->share > 0)
        done = progress->before + progress->share * done;

    char head[48] = "", tail[64], bar[MAX_BAR + 1];
    int used = 0;
    if (progress->count > 1)
        used = snprintf(head, sizeof(head), "%zu/%zu ", progress->index, progress->count);
    if (progress->label[0])
        snprintf(head + used, sizeof(head) - (size_t)used, "%s ", progress->label);
    format_rate(tail, sizeof(tail), progress, done, (double)(now - progress->start_us) / 1e6);

    int percent = (int)(done * 100);
    int room = columns() - 1; /* some terminals wrap at the last column */
    int fixed = (int)(strlen(head) + strlen("100% []") + strlen(tail));
    int length = room - fixed < MAX_BAR ? room - fixed : MAX_BAR;
    if (length < 4) {
        fprintf(stderr, "\r\033[K%.*s%3d%%", room > 4 ? room - 4 : 0, head, percent);
        return;
    }
    memset(bar, '#', sizeof(bar));
    fprintf(stderr, "\r\033[K%s%3d%% [%-*.*s]%s", head, percent, length, (int)(done * length), bar, tail);
}

void progress_phase(progress_line *progress, const char *label) {
    snprintf(progress->label, sizeof(progress->label), "%s", label);
    if (progress->share == 0)
        progress->start_us = swin2sr__clock_us();
    progress->told_left_s = 0;
}

void progress_tell(progress_line *progress, double done, double left_s) {
    progress->told_left_s = left_s > 0 ? left_s : 0;
    progress_update(progress, done);
}

void progress_share(progress_line *progress, size_t index, double before, double share) {
    progress->index = index;
    progress->before = before;
    progress->share = share;
    progress_update(progress, 0);
}

void progress_clear(progress_line *progress) {
    if (progress->is_shown && progress->drawn_us)
        fputs("\r\033[K", stderr);
    progress->drawn_us = 0;
}

void progress_done(progress_line *progress) {
    if (progress->is_shown && progress->drawn_us)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
