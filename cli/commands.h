/* SPDX-License-Identifier: Apache-2.0
 * cli/commands.h - the subcommands: one file each, called by main.c.
 * argv[0] is "swin2sr COMMAND", the rest is the command's own.  Returns an exit code of exit_codes.h.
 * Each file holds its help text; --help is answered by main.c before the command runs. */
#ifndef SWIN2SR_CLI_COMMANDS_H
#define SWIN2SR_CLI_COMMANDS_H

int upscale_run(int argc, char **argv);
int model_run(int argc, char **argv);
int compare_run(int argc, char **argv);
int bench_run(int argc, char **argv);
int serve_run(int argc, char **argv);
int healthcheck_run(int argc, char **argv);

extern const char upscale_help[];
extern const char model_help[];
extern const char compare_help[];
extern const char bench_help[];
extern const char serve_help[];
extern const char healthcheck_help[];

#endif
