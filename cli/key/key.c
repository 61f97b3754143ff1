/* SPDX-License-Identifier: Apache-2.0
 * cli/key/key.c - swin2sr key: find the verb and run it. */
#include <string.h>

#include "command/commands.h"
#include "command/report.h"
#include "file.h"

static const cli_command *const VERBS[] = {&key_new_command, &key_list_command, &key_revoke_command, NULL};

static int run(const cli_command *command, int argc, char **argv) {
    for (const cli_command *const *verb = VERBS; argc > 1 && *verb; verb++)
        if (strcmp(argv[1], (*verb)->name) == 0) {
            argv[1] = (char *)(*verb)->title;
            return (*verb)->run(*verb, argc - 1, argv + 1);
        }
    report_error(NULL, "key takes new, list or revoke first; see 'swin2sr help key'");
    return CLI_EXIT_USAGE;
}

const cli_command key_command = {
    "key",
    "swin2sr key",
    "Usage: swin2sr key new NAME [--concurrency N] [--per-minute N] [--admin] [OPTION]...\n"
    "       swin2sr key list [OPTION]...\n"
    "       swin2sr key revoke ID [OPTION]...\n"
    "The API keys of swin2sr-server, which its --keys names. The file has the hash of each key and not the key.\n\n"
    "  new       make a key with the id NAME-xxxxxx, and print it: it cannot be shown again\n"
    "  list      the keys of the file, their limits, and which are revoked\n"
    "  revoke    refuse a key from now on; a server that runs needs a SIGHUP\n\n",
    .groups = {options_common, key_file_options},
    .verbs = VERBS,
    .run = run,
};
