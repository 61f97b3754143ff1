/* SPDX-License-Identifier: Apache-2.0
 * cli/command/network.h - open the network that --model or --task asks for, or two of which the picture decides.
 * In: a name, a file or a task.  Out: open models. Failures are reported here. */
#pragma once

#include "options.h"

/* Take the value of --task. false: there is no such task, which has been reported. */
bool network_take_task(const char *text, const char **ret_task);

/* Open options->model, or the default network if it is NULL.
 * ret_model  The caller's (swin2sr_model_unref).
 * returns    An exit code. */
int network_open(const cli_options *options, swin2sr_model **ret_model);

/* Open options->model like network_open, but report nothing.
 * ret_is_unknown  There is no network of this name; else a file cannot be loaded, or the device cannot be used. */
swin2sr_status network_try(const cli_options *options, swin2sr_model **ret_model, bool *ret_is_unknown,
                           swin2sr_error *reterr);

/* Open what --model and --task ask for: if neither does, or if one says "auto", the network for pictures in doubt, and
 * beside it the one that src/enlarge takes for a picture that is surely undamaged.
 * task           As of network_take_task; NULL: not given.
 * ret_undamaged  The caller's, as ret_model; NULL: there is no choice. */
int network_open_chosen(const cli_options *options, const char *task, swin2sr_model **ret_model,
                        swin2sr_model **ret_undamaged);

/* Open the best network on this machine for a task. Notes say which one that is, and how to fetch a better one if the
 * catalogue offers it. */
int network_open_for_task(const cli_options *options, const char *task, swin2sr_model **ret_model);
