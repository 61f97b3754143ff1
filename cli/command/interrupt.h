/* SPDX-License-Identifier: Apache-2.0
 * cli/command/interrupt.h - SIGINT, SIGTERM, SIGHUP and SIGQUIT set a flag that long work polls.
 * A second signal of the same kind ends the program at once. */
#pragma once

/* Install the handlers. Afterwards a write beyond the limit on file sizes fails with EFBIG, without a signal. */
void interrupt_watch(void);

/* The signal that arrived; 0: none. */
int interrupt_signal(void);

/* CLI_EXIT_SIGNAL + the signal that arrived; code if none did. */
int interrupt_exit_code(int code);
