/* SPDX-License-Identifier: Apache-2.0
 * cli/model/verbs.h - the verbs of `swin2sr model`; model.c lists them. */
#pragma once

#include "command/options.h"

extern const cli_command model_list_command, model_info_command, model_pull_command, model_import_command,
    model_verify_command, model_remove_command;
