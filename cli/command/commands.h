/* SPDX-License-Identifier: Apache-2.0
 * cli/command/commands.h - the subcommands; main.c finds them by name. */
#pragma once

#include "options.h"

extern const cli_command upscale_command, model_command, compare_command, bench_command, serve_command,
    healthcheck_command;
