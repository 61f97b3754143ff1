/* SPDX-License-Identifier: Apache-2.0
 * cli/model/model.c - swin2sr model: find the verb and run it. */
#include <string.h>

#include "command/commands.h"
#include "command/report.h"

static const cli_command *const VERBS[] = {&model_list_command,
                                           &model_info_command,
                                           &model_pull_command,
                                           &model_import_command,
                                           &model_verify_command,
                                           &model_remove_command,
                                           NULL};

static int run(const cli_command *command, int argc, char **argv) {
    for (const cli_command *const *verb = VERBS; argc > 1 && *verb; verb++)
        if (strcmp(argv[1], (*verb)->name) == 0) {
            argv[1] = (char *)(*verb)->title;
            return (*verb)->run(*verb, argc - 1, argv + 1);
        }
    report_error(NULL, "model takes list, info, pull, import, verify or remove first; see 'swin2sr help model'");
    return CLI_EXIT_USAGE;
}

const cli_command model_command = {
    "model",
    "swin2sr model",
    "Usage: swin2sr model list [OPTION]...\n"
    "       swin2sr model info [NAME|FILE] [OPTION]...\n"
    "       swin2sr model pull NAME [--url URL] [--sha256 HEX] [OPTION]...\n"
    "       swin2sr model import FILE [--name NAME] [-o OUT] [OPTION]...\n"
    "       swin2sr model verify [NAME] [OPTION]...\n"
    "       swin2sr model remove NAME [OPTION]...\n"
    "The networks on this machine: in $SWIN2SR_MODELS, else $XDG_DATA_HOME/swin2sr/models, else\n"
    "~/.local/share/swin2sr/models.\n\n"
    "  list      what is here, and what pull can fetch\n"
    "  info      what a network is: its shape, precision, kernels and hash\n"
    "  pull      fetch a published network and import it; resumes where it was cut off\n"
    "  import    read .pth, .bin or .safetensors into the library, or to OUT\n"
    "  verify    check that the files have not changed and can be opened\n"
    "  remove    delete a network from the library\n\n",
    .groups = {options_common},
    .verbs = VERBS,
    .run = run,
};
