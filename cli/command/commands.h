/* SPDX-License-Identifier: Apache-2.0
 * cli/command/commands.h - the subcommands, which main.c finds by name, and the verbs of `swin2sr model`, `key` and
 * `remote`. */
#pragma once

#include "options.h"

extern const cli_command upscale_command, batch_command, model_command, compare_command, bench_command, serve_command,
    healthcheck_command, key_command, remote_command, device_command;
extern const cli_command model_list_command, model_info_command, model_pull_command, model_import_command,
    model_verify_command, model_remove_command;
extern const cli_command key_new_command, key_list_command, key_revoke_command;
extern const cli_command remote_upscale_command;
extern const cli_command device_list_command;
