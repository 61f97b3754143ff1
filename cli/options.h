/* SPDX-License-Identifier: Apache-2.0
 * cli/options.h - the options that several commands share.
 * A command's getopt_long table and help text are composed of the groups it honours (COMMON, MODEL, ENGINE).
 * Every number is bounded here. */
#ifndef SWIN2SR_CLI_OPTIONS_H
#define SWIN2SR_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include <swin2sr/swin2sr.h>

typedef struct cli_options {
    const char *model; /* --model; NULL: the network inside the library */
    swin2sr_model_options load;
    swin2sr_options engine;
    bool is_quiet;
    bool is_json;
} cli_options;

enum options_id {
    OPTIONS_MODEL_ID = 256,
    OPTIONS_PRECISION_ID,
    OPTIONS_THREADS_ID,
    OPTIONS_MEMORY_ID,
    OPTIONS_PAD_ID,
    OPTIONS_ROWS_ID,
    OPTIONS_TILE_ID,
    OPTIONS_OVERLAP_ID,
    OPTIONS_JSON_ID,
    OPTIONS_COMMAND_ID, /* the first that a command may use for itself */
};

#define OPTIONS_COMMON                             \
    {"quiet", no_argument, NULL, 'q'}, {           \
        "json", no_argument, NULL, OPTIONS_JSON_ID \
    }
#define OPTIONS_MODEL                                              \
    {"model", required_argument, NULL, OPTIONS_MODEL_ID}, {        \
        "precision", required_argument, NULL, OPTIONS_PRECISION_ID \
    }
#define OPTIONS_ENGINE                                                                                                \
    {"threads", required_argument, NULL, OPTIONS_THREADS_ID}, {"memory", required_argument, NULL, OPTIONS_MEMORY_ID}, \
        {"pad", required_argument, NULL, OPTIONS_PAD_ID}, {"rows", required_argument, NULL, OPTIONS_ROWS_ID},         \
        {"tile", required_argument, NULL, OPTIONS_TILE_ID}, {                                                         \
        "overlap", required_argument, NULL, OPTIONS_OVERLAP_ID                                                        \
    }

#define OPTIONS_COMMON_HELP                                             \
    "  -q, --quiet             errors only\n"                           \
    "      --json              the result as JSON on standard output\n" \
    "  -h, --help              this text\n"
#define OPTIONS_MODEL_HELP                                                                     \
    "      --model NAME|FILE   the network: swin2sr-lightweight-x4 (default), another that\n"  \
    "                          'swin2sr model list' shows, or a file (has a / or an ending)\n" \
    "      --precision P       auto (default), fp32, bf16, int8\n"
#define OPTIONS_ENGINE_HELP                                                                       \
    "      --threads N         1..256 (default: the usable cores); never changes the result\n"    \
    "      --memory MIB        budget of the engine for one image; wider ones in strips\n"        \
    "      --rows N            rows of windows a step, 1..64 (default: from the budget)\n"        \
    "      --tile PX           in tiles of this side, 64..65528 (default: whole)\n"               \
    "      --overlap PX        what tiles and strips compute beyond their pixels (default: 32)\n" \
    "      --pad P             reflect (default), or symmetric-always as published tests do\n"

/* Take one option that getopt_long returned (its value is in optarg).
 * returns  false: not a shared option or a wrong value; it has been reported (by getopt_long for an unknown one). */
bool options_take(cli_options *options, int id);

/* Read a whole decimal number in min..max; false leaves *ret_value alone. */
bool options_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* The same for the value of option --name, reported when wrong. */
bool options_take_int(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Open the model that was asked for.
 * ret_model  The caller's (swin2sr_model_unref).
 * returns    An exit code; a failure has been reported. */
int options_open_model(const cli_options *options, swin2sr_model **ret_model);

#endif
