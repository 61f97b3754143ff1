/* SPDX-License-Identifier: Apache-2.0
 * cli/command/options.h - what a command is: its name, its help and its table of options.
 * The table is the only place that names an option: the arguments are parsed by it and the help is printed from it.
 * In: argv.  Out: fields of the command's own state, every number bounded. */
#pragma once

#include <swin2sr/swin2sr.h>

/* The options that several commands share. The state of every command with options begins with one of these. */
typedef struct cli_options {
    const char *model; /* --model; NULL: the default network */
    swin2sr_model_options load;
    swin2sr_options engine;
    bool is_quiet;
    bool is_json;
    bool is_json_lines; /* of commands that have --json-lines */
} cli_options;

/* A list of words: the word of each index from 0 on, NULL after the last one. */
typedef const char *cli_words(size_t index);

/* One option. The first that applies decides what is stored in the field:
 *   take   called with the value; reports a wrong one and returns false
 *   words  the int32_t index of the value in this list
 *   max    the int32_t value, a whole number in min..max
 *   value  the const char * value
 *   none   the bool true */
typedef struct cli_option {
    const char *name;
    const char *value; /* the name of the value in the help; NULL: the option has none */
    const char *help;  /* lines separated by \n; printed after the list of words, if there is one */
    size_t field;      /* offset in the state */
    int32_t min, max;
    cli_words *words;
    bool (*take)(void *state, const char *text);
    char letter; /* of the short form, or 0 */
} cli_option;

extern const cli_option options_common[]; /* each group ends with an option without a name */
extern const cli_option options_model[];
extern const cli_option options_engine[];
extern const cli_option options_device[];

typedef struct cli_command cli_command;
struct cli_command {
    const char *name;
    const char *title;               /* argv[0] while the command runs; getopt_long's messages begin with it */
    const char *about;               /* the help before the options */
    const char *operands;            /* what a message about missing operands says is needed */
    int least, most;                 /* how many operands are allowed */
    const cli_option *groups[7];     /* NULL after the last one */
    const char *after;               /* the help after the options, or NULL */
    const cli_command *const *verbs; /* NULL: none; else NULL after the last one. They are named by argv[1]. */
    int (*run)(const cli_command *command, int argc, char **argv); /* returns an exit code of report.h */
};

/* Print the help of a command: its own text, the options of each verb, its own options. */
void options_print_help(const cli_command *command);

/* Store the options of argv in state, which begins with a cli_options, and count the operands.
 * ret_operands  Points to the operands in argv, which ends with NULL.
 * returns       false: the arguments are wrong, which has been reported. */
bool options_parse(const cli_command *command, void *state, int argc, char **argv, char ***ret_operands);

/* Whether results go to standard output as JSON. */
bool options_has_json(const cli_options *options);

/* false: both --json and --json-lines are given, which has been reported. */
bool options_check_json(const cli_options *options);

/* The help of --json-lines. */
#define OPTIONS_JSON_LINES "print the result of each input as one line of JSON when it is finished"

/* Read a whole decimal number in min..max; false leaves *ret_value alone. */
bool options_parse_int(const char *text, int32_t min, int32_t max, int32_t *ret_value);

/* Read the value of --NAME with options_parse_int; a wrong one is reported. */
bool options_take_int(const char *name, const char *text, int32_t min, int32_t max, int32_t *ret_value);

/* Find text in a list of words. A word that is not there is reported as a wrong value of --NAME. */
bool options_take_word(const char *name, cli_words *words, const char *text, int32_t *ret_index);
