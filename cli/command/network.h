/* SPDX-License-Identifier: Apache-2.0
 * cli/command/network.h - open the network that --model or --task asks for.
 * In: a name, a file or a task.  Out: an open model; a failure has been reported. */
#pragma once

#include "options.h"

/* Open options->model: the default network for NULL.
 * ret_model  The caller's (swin2sr_model_unref).
 * returns    An exit code. */
int network_open(const cli_options *options, swin2sr_model **ret_model);

/* Open the best network on this machine for a task. Notes say which one that is and, when the catalogue offers a better
 * one, how to fetch that. */
int network_open_for_task(const cli_options *options, const char *task, swin2sr_model **ret_model);
