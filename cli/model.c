/* SPDX-License-Identifier: Apache-2.0
 * cli/model.c - swin2sr model: finds the verb; the networks on this machine and where they come from. */
#include <stddef.h>
#include <string.h>

#include "commands.h"
#include "exit_codes.h"
#include "model_verbs.h"
#include "options.h"
#include "report.h"

const char model_help[] =
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
    "  pull      fetch a published network and import it; goes on where it was cut off\n"
    "  import    read .pth, .bin or .safetensors into the library, or to OUT\n"
    "  verify    are the files what they were when they came, and do they open?\n"
    "  remove    delete a network from the library\n\n"
    "pull:\n"
    "      --url URL           from here instead of where the catalogue says; http or https\n"
    "      --sha256 HEX        of the file as downloaded; without it the catalogue's, if it has one\n"
    "      --max-mib N         refuse longer files (default: 1024)\n"
    "      --stall SECONDS     give up when less than 1 KiB/s came for so long (default: 30)\n"
    "  -f, --force             replace a network of that name\n"
    "import:\n"
    "      --name NAME         in the library: a-z 0-9 . _ - (default: from FILE's name)\n"
    "      --source URL        where it comes from, kept in the file\n"
    "      --license L         its licence, kept in the file: Apache-2.0, ...\n"
    "  -o, --output OUT        write this file instead, and leave the library alone\n"
    "  -f, --force             replace a network or file of that name\n"
    "info:\n" OPTIONS_MODEL_HELP OPTIONS_COMMON_HELP;

static const struct {
    const char *name;
    const char *title; /* argv[0] of the verb, as its messages name it */
    int (*run)(int argc, char **argv);
} VERBS[] = {
    {"list", "swin2sr model list", model_list_run},       {"info", "swin2sr model info", model_info_run},
    {"pull", "swin2sr model pull", model_pull_run},       {"import", "swin2sr model import", model_import_run},
    {"verify", "swin2sr model verify", model_verify_run}, {"remove", "swin2sr model remove", model_remove_run},
};

int model_run(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof(VERBS) / sizeof(VERBS[0]); i++)
        if (strcmp(argv[1], VERBS[i].name) == 0) {
            argv[1] = (char *)VERBS[i].title;
            return VERBS[i].run(argc - 1, argv + 1);
        }
    report_error(NULL, "model takes list, info, pull, import, verify or remove first; see 'swin2sr help model'");
    return CLI_EXIT_USAGE;
}
