/* SPDX-License-Identifier: Apache-2.0
 * cli/command/interrupt.c - the flag, and the handlers that set it. */
#include <signal.h>
#include <stddef.h>

#include "interrupt.h"
#include "report.h"

static volatile sig_atomic_t arrived;

static void on_signal(int number) {
    arrived = number;
}

void interrupt_watch(void) {
    /* Without SA_RESTART, so that a write that waits for a full pipe returns. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* which nohup sets */
            sigaction(signals[i], &action, NULL);
    }
    signal(SIGXFSZ, SIG_IGN);
}

int interrupt_signal(void) {
    return arrived;
}

int interrupt_exit_code(int code) {
    return arrived ? CLI_EXIT_SIGNAL + arrived : code;
}
