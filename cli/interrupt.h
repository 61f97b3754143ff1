/* SPDX-License-Identifier: Apache-2.0
 * cli/interrupt.h - Ctrl-C, SIGTERM and SIGHUP as a flag that long work polls.
 * A second signal of the same kind ends the program at once. */
#ifndef SWIN2SR_CLI_INTERRUPT_H
#define SWIN2SR_CLI_INTERRUPT_H

void interrupt_watch(void);

/* The signal that arrived, 0 for none. The exit code is then CLI_EXIT_SIGNAL + it. */
int interrupt_signal(void);

#endif
