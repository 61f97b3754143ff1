/* SPDX-License-Identifier: Apache-2.0
 * cli/model_verbs.h - what `swin2sr model` can do: one file each, found by model.c.
 * argv[0] is "swin2sr model VERB", the rest is the verb's own.  Returns an exit code of exit_codes.h. */
#ifndef SWIN2SR_CLI_MODEL_VERBS_H
#define SWIN2SR_CLI_MODEL_VERBS_H

int model_list_run(int argc, char **argv);
int model_info_run(int argc, char **argv);
int model_pull_run(int argc, char **argv);
int model_import_run(int argc, char **argv);
int model_verify_run(int argc, char **argv);
int model_remove_run(int argc, char **argv);

#endif
