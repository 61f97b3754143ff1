/* SPDX-License-Identifier: Apache-2.0
 * cli/command/network.h - open the network that --model or --task asks for.
 * In: a name, a file or a task.  Out: an open model. Failures are reported here. */
#pragma once

#include "options.h"

/* Take the value of --task. false: there is no such task, which has been reported. */
bool network_take_task(const char *text, const char **ret_task);

/* Open options->model, or the default network if it is NULL.
 * ret_model  The caller's (swin2sr_model_unref).
 * returns    An exit code. */
int network_open(const cli_options *options, swin2sr_model **ret_model);

/* Open the best network on this machine for a task. Notes say which one that is, and how to fetch a better one if the
 * catalogue offers it. */
int network_open_for_task(const cli_options *options, const char *task, swin2sr_model **ret_model);
