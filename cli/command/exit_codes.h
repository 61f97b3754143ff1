/* SPDX-License-Identifier: Apache-2.0
 * cli/command/exit_codes.h - the program's exit codes; docs/cli.md repeats this table.
 * With several inputs, the largest code among them is returned. */
#pragma once

typedef enum cli_exit {
    CLI_EXIT_OK = 0,
    CLI_EXIT_INPUT = 1,     /* an input is damaged, of a kind that is not read, or over a limit or the memory budget */
    CLI_EXIT_UNHEALTHY = 1, /* only healthcheck: the service did not answer 200 */
    CLI_EXIT_USAGE = 2,     /* unknown command, option or value */
    CLI_EXIT_MODEL = 3,     /* the model is missing, damaged, or cannot run as asked */
    CLI_EXIT_IO = 4,        /* a file could not be read or written; an output exists and --force is not given */
    CLI_EXIT_SYSTEM = 5,    /* out of memory, or a bug */
    CLI_EXIT_SIGNAL = 128,  /* + the signal: 130 after Ctrl-C */
} cli_exit;
