/* SPDX-License-Identifier: Apache-2.0
 * cli/command/completion.h - scripts by which shells complete commands, options and their values.
 * In: the tables of options.  Out: a script on stdout, which needs the program no more. */
#pragma once

#include "options.h"

/* The shells: "bash", "zsh"; a cli_words. */
const char *completion_shell(size_t index);

/* Print the script for the shell of this index.
 * commands  NULL after the last one. */
void completion_print(size_t shell, const cli_command *const *commands);
