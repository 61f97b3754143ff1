/* SPDX-License-Identifier: Apache-2.0
 * cli/model_choice.h - which network: the best one here for a task, and what to say when a name leads nowhere. */
#ifndef SWIN2SR_CLI_MODEL_CHOICE_H
#define SWIN2SR_CLI_MODEL_CHOICE_H

#include <stdbool.h>

#include "library/library.h"

/* The best network on this machine for a task; says which it is and, when the catalogue has a better one, how to get
 * that (neither when is_quiet).
 * returns  An exit code; a failure has been reported. */
int choice_for_task(const char *task, bool is_quiet, char ret_name[LIBRARY_MAX_NAME]);

/* Report a name that is no network here: what there is instead, and how to get it where the catalogue has it. */
void choice_report_unknown(const char *name);

#endif
