/* SPDX-License-Identifier: Apache-2.0
 * cli/main.c - swin2sr: find the subcommand and run it; answer --help and --version.
 * In: argv.  Out: an exit code (report.h).
 * Results go to stdout, messages to stderr. A failure to write to stdout is an error. */
#include <stdio.h>
#include <string.h>

#include "command/commands.h"
#include "command/completion.h"
#include "command/report.h"

static int run_completion(const cli_command *command, int argc, char **argv);

static const cli_command completion_command = {
    "completion",
    "swin2sr completion",
    "Usage: swin2sr completion bash|zsh\n"
    "Print a script by which the shell completes commands, options and their values. 'make install' puts\n"
    "both where the shells look for them. By hand:\n\n"
    "  bash   source <(swin2sr completion bash)\n"
    "  zsh    swin2sr completion zsh > FOLDER/_swin2sr, where FOLDER is one of $fpath\n",
    "a shell: bash or zsh",
    1,
    1,
    .run = run_completion,
};

static const cli_command *const COMMANDS[] = {
    &upscale_command, &batch_command, &model_command,  &compare_command,     &bench_command,      &device_command,
    &serve_command,   &key_command,   &remote_command, &healthcheck_command, &completion_command, NULL};

static const char USAGE[] =
    "Usage: swin2sr COMMAND [OPTION]...\n"
    "Enlarge images with a Swin2SR network.\n\n"
    "  upscale IN... -o OUT   enlarge files or the images of a folder\n"
    "  batch DIR -o OUT       enlarge a folder and all in it, in as many runs as it takes\n"
    "  model                  list, describe, fetch, import, verify, remove networks\n"
    "  compare A B            measure PSNR and SSIM of two images\n"
    "  bench                  measure the speed of the engine on this machine\n"
    "  device list            list the GPUs of this machine, and whether they can be used\n"
    "  serve                  start the HTTP service\n"
    "  key                    make, list and revoke the API keys of the HTTP service\n"
    "  remote upscale         have images enlarged by the HTTP service on another machine\n"
    "  healthcheck [URL]      ask the HTTP service whether it is alive\n"
    "  completion SHELL       print a script that completes commands and options in bash or zsh\n"
    "  help COMMAND           print the options of a command (also: COMMAND --help)\n\n"
    "  -h, --help             print this text\n"
    "      --version          print the version\n";

static const cli_command *find_command(const char *name) {
    for (size_t i = 0; COMMANDS[i]; i++)
        if (strcmp(COMMANDS[i]->name, name) == 0)
            return COMMANDS[i];
    report_error(NULL, "%s: not a command; 'swin2sr help' lists them", name);
    return NULL;
}

static int run_completion(const cli_command *command, int argc, char **argv) {
    cli_options options = {0};
    int32_t shell = 0;
    if (!options_parse(command, &options, argc, argv, &argv))
        return CLI_EXIT_USAGE;
    for (; completion_shell((size_t)shell); shell++)
        if (strcmp(completion_shell((size_t)shell), argv[0]) == 0) {
            completion_print((size_t)shell, COMMANDS);
            return CLI_EXIT_OK;
        }
    report_error(argv[0], "not a shell that is known; there are bash and zsh");
    return CLI_EXIT_USAGE;
}

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool asks_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

static int help_run(const char *name) {
    const cli_command *command = name ? find_command(name) : NULL;
    if (name && !command)
        return CLI_EXIT_USAGE;
    if (command)
        options_print_help(command);
    else
        fputs(USAGE, stdout);
    return CLI_EXIT_OK;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        fputs(USAGE, stderr);
        return CLI_EXIT_USAGE;
    }
    if (is_help(argv[1]) || strcmp(argv[1], "help") == 0)
        return help_run(argv[2]);
    if (strcmp(argv[1], "--version") == 0) {
        printf("swin2sr %s\n", swin2sr_version());
        return CLI_EXIT_OK;
    }
    const cli_command *command = find_command(argv[1]);
    if (!command)
        return CLI_EXIT_USAGE;
    if (asks_help(argc - 2, argv + 2))
        return help_run(command->name);
    argv[1] = (char *)command->title;
    return command->run(command, argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    int code = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        report_error("standard output", "cannot be written");
        return code == CLI_EXIT_OK ? CLI_EXIT_IO : code;
    }
    return code;
}
