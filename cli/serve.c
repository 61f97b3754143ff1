/* SPDX-License-Identifier: Apache-2.0
 * cli/serve.c - swin2sr serve: replace this process by swin2sr-server, with all options passed on.
 * The server is searched for beside this program, then in ../libexec/swin2sr, then in PATH. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/commands.h"
#include "command/report.h"

#define SERVER "swin2sr-server"

/* Returns only if there is no such program. */
static void try_exec(const char *folder, const char *below, char **argv) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s%s" SERVER, folder, below);
    if (length > 0 && (size_t)length < sizeof(path))
        execv(path, argv);
}

static int run(const cli_command *command, int argc, char **argv) {
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    argv[0] = (char *)SERVER;
    if (length > 0) {
        folder[length] = '\0';
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
        try_exec(folder, "/", argv);
        try_exec(folder, "/../libexec/swin2sr/", argv);
    }
    execvp(SERVER, argv);
    report_error(SERVER, "%s", errno == ENOENT ? "not found beside swin2sr or in PATH" : strerror(errno));
    return CLI_EXIT_IO;
}

const cli_command serve_command = {
    "serve",
    "swin2sr serve",
    "Usage: swin2sr serve [OPTION]...\n"
    "Start the HTTP service. All options are passed on to swin2sr-server, among them:\n\n"
    "      --listen ADDR:PORT,... where to listen (default: 127.0.0.1:8080)\n"
    "      --models NAME[:N],... networks to serve, each with N workers\n"
    "      --workers N         worker processes (default: the smaller of 2 and the cores)\n"
    "  -h, --help              print this text; 'swin2sr-server --help' lists all options\n",
    .run = run,
};
