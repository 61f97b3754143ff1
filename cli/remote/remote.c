/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/remote.c - swin2sr remote: find the verb and run it. */
#include <string.h>

#include "command/commands.h"
#include "command/report.h"

static const cli_command *const VERBS[] = {&remote_upscale_command, NULL};

static int run(const cli_command *command, int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], VERBS[0]->name) == 0) {
        argv[1] = (char *)VERBS[0]->title;
        return VERBS[0]->run(VERBS[0], argc - 1, argv + 1);
    }
    report_error(NULL, "remote takes upscale first; see 'swin2sr help remote'");
    return CLI_EXIT_USAGE;
}

const cli_command remote_command = {
    "remote",
    "swin2sr remote",
    "Usage: swin2sr remote upscale --server URL [OPTION]... IN... -o OUT\n"
    "Have images enlarged by the HTTP service on another machine. IN and OUT are those of\n"
    "'swin2sr upscale'. The image is sent in pieces, and goes on after a broken connection;\n"
    "where the service keeps jobs, the same command again finds the job of an earlier run.\n\n",
    .groups = {options_common},
    .after = "\nExit code: 0 done, 1 an image is refused, 2 usage, 3 the service has no such network, 4 the\n"
             "service cannot be reached, refuses the key or fails, or a file could not be read or\n"
             "written, 5 out of memory, 130 interrupted. A failed input does not stop the others.\n",
    .verbs = VERBS,
    .run = run,
};
