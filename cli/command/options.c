/* SPDX-License-Identifier: Apache-2.0
 * cli/command/options.c - parse by the table of options, print the help from it; the options that commands share. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/precision.h"
#include "options.h"
#include "report.h"

enum {
    MAX_OPTIONS = 64, /* of one command */
    FIRST_ID = 256,   /* for getopt_long, of the option with index 0 */
    HELP_COLUMN = 26,
    MAX_WORDS_BYTES = 128,
    MAX_MEMORY_MIB = 1 << 24,
    MAX_TILE_PX = 65528,
};

/* ---- values ---- */

bool options_parse_int(const char *text, int32_t min, int32_t max, int32_t *ret_value) {
    if (text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *ret_value = (int32_t)value;
    return true;
}

bool options_take_int(const char *name, const char *text, int32_t min, int32_t max, int32_t *ret_value) {
    if (options_parse_int(text, min, max, ret_value))
        return true;
    report_error(NULL, "--%s %s: must be a whole number in %d..%d", name, text, min, max);
    return false;
}

/* "auto, fp32, bf16, int8" */
static const char *join_words(cli_words *words, char text[MAX_WORDS_BYTES]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; words(i) && used < MAX_WORDS_BYTES; i++)
        used += (size_t)snprintf(text + used, MAX_WORDS_BYTES - used, "%s%s", i ? ", " : "", words(i));
    return text;
}

bool options_take_word(const char *name, cli_words *words, const char *text, int32_t *ret_index) {
    char list[MAX_WORDS_BYTES];
    for (size_t i = 0; words(i); i++)
        if (strcmp(words(i), text) == 0) {
            *ret_index = (int32_t)i;
            return true;
        }
    report_error(NULL, "--%s %s: must be one of %s", name, text, join_words(words, list));
    return false;
}

static bool take(const cli_option *option, void *state, const char *text) {
    void *field = (char *)state + option->field;
    if (option->take)
        return option->take(state, text);
    if (option->words)
        return options_take_word(option->name, option->words, text, field);
    if (option->max)
        return options_take_int(option->name, text, option->min, option->max, field);
    if (option->value)
        *(const char **)field = text;
    else
        *(bool *)field = true;
    return true;
}

/* ---- arguments ---- */

/* A command's options in the form that getopt_long needs. */
typedef struct parser {
    const cli_option *options[MAX_OPTIONS];
    struct option long_forms[MAX_OPTIONS + 1];
    char letters[2 * MAX_OPTIONS + 1];
    int count;
} parser;

static void add_option(parser *self, const cli_option *option) {
    if (option->letter == 'h' || self->count == MAX_OPTIONS) /* main() has answered --help */
        return;
    self->options[self->count] = option;
    self->long_forms[self->count] =
        (struct option){option->name, option->value ? required_argument : no_argument, NULL, FIRST_ID + self->count};
    self->count++;
    if (option->letter)
        snprintf(self->letters + strlen(self->letters), 3, "%c%s", option->letter, option->value ? ":" : "");
}

static const cli_option *option_of(const parser *self, int id) {
    for (int i = 0; i < self->count; i++)
        if (id == FIRST_ID + i || id == self->options[i]->letter)
            return self->options[i];
    return NULL; /* getopt_long has reported it */
}

bool options_parse(const cli_command *command, void *state, int argc, char **argv, char ***ret_operands) {
    const char *name = command->title + strlen("swin2sr ");
    parser known = {0};
    int id;
    for (const cli_option *const *group = command->groups; *group; group++)
        for (const cli_option *option = *group; option->name; option++)
            add_option(&known, option);
    while ((id = getopt_long(argc, argv, known.letters, known.long_forms, NULL)) != -1) {
        const cli_option *option = option_of(&known, id);
        if (!option || !take(option, state, optarg))
            return false;
    }
    if (argc - optind < command->least)
        report_error(NULL, "%s needs %s; see 'swin2sr help %s'", name, command->operands, name);
    else if (argc - optind > command->most)
        report_error(NULL, "%s: unexpected argument %s; see 'swin2sr help %s'", name, argv[optind + command->most],
                     name);
    *ret_operands = argv + optind;
    return argc - optind >= command->least && argc - optind <= command->most;
}

bool options_has_json(const cli_options *options) {
    return options->is_json || options->is_json_lines;
}

bool options_check_json(const cli_options *options) {
    if (options->is_json && options->is_json_lines)
        report_error(NULL, "--json and --json-lines exclude each other");
    return !options->is_json || !options->is_json_lines;
}

/* ---- help ---- */

static void print_option(const cli_option *option) {
    char letter[8] = "      ", words[MAX_WORDS_BYTES] = "";
    if (option->letter)
        snprintf(letter, sizeof(letter), "  -%c, ", option->letter);
    int column =
        printf("%s--%s%s%s", letter, option->name, option->value ? " " : "", option->value ? option->value : "");
    if (column >= HELP_COLUMN)
        putchar('\n');
    printf("%*s%s", column < HELP_COLUMN ? HELP_COLUMN - column : HELP_COLUMN, "",
           option->words ? join_words(option->words, words) : "");
    for (const char *c = option->help; *c; c++)
        if (*c == '\n')
            printf("\n%*s", HELP_COLUMN, "");
        else
            putchar(*c);
    putchar('\n');
}

/* Print the groups before end, or all of them if it is NULL. */
static void print_groups(const cli_option *const *groups, const cli_option *end) {
    for (; *groups && *groups != end; groups++)
        for (const cli_option *option = *groups; option->name; option++)
            print_option(option);
}

void options_print_help(const cli_command *command) {
    fputs(command->about, stdout);
    for (const cli_command *const *verb = command->verbs; verb && *verb; verb++) {
        if ((*verb)->groups[0] != options_common)
            printf("%s:\n", (*verb)->name);
        print_groups((*verb)->groups, options_common);
    }
    if (command->verbs)
        fputs("all:\n", stdout);
    print_groups(command->groups, NULL);
    if (command->after)
        fputs(command->after, stdout);
}

/* ---- shared ---- */

static const char *pad_word(size_t index) {
    static const char *const WORDS[] = {[SWIN2SR_PAD_REFLECT] = "reflect",
                                        [SWIN2SR_PAD_SYMMETRIC_ALWAYS] = "symmetric-always",
                                        [SWIN2SR_PAD_AROUND] = "around"};
    return index < sizeof(WORDS) / sizeof(WORDS[0]) ? WORDS[index] : NULL;
}

static const char *precision_word(size_t index) {
    return swin2sr__precision_name((int)index);
}

static bool take_overlap(void *state, const char *text) {
    swin2sr_options *engine = &((cli_options *)state)->engine;
    if (!options_take_int("overlap", text, 0, MAX_TILE_PX / 4, &engine->overlap_px))
        return false;
    if (engine->overlap_px == 0) /* for the engine 0 means the default */
        engine->overlap_px = -1;
    return true;
}

static bool take_memory(void *state, const char *text) {
    int32_t mib;
    if (!options_take_int("memory", text, 1, MAX_MEMORY_MIB, &mib))
        return false;
    ((cli_options *)state)->engine.memory_bytes = (size_t)mib << 20;
    return true;
}

const cli_option options_common[] = {
    {"quiet", .letter = 'q', .field = offsetof(cli_options, is_quiet), .help = "print errors only"},
    {"json", .field = offsetof(cli_options, is_json), .help = "print the result as JSON on standard output"},
    {"help", .letter = 'h', .help = "print this text"},
    {0},
};

const cli_option options_model[] = {
    {"model", "NAME|FILE",
     "a network of 'swin2sr model list', or a file, with a / or an ending\n"
     "like .safetensors or .pth (default: photo; where there is a --task: auto)",
     .field = offsetof(cli_options, model)},
    {"precision", "P", " (default: auto)", .words = precision_word, .field = offsetof(cli_options, load.precision)},
    {0},
};

const cli_option options_device[] = {
    {"device", "D",
     "where to compute: cpu, vulkan, or vulkan:N of 'swin2sr device list';\n"
     "auto is a GPU that passes its self-test, else the CPU (default: cpu)",
     .field = offsetof(cli_options, load.device)},
    {0},
};

const cli_option options_engine[] = {
    {"threads", "N", "1..256 (default: the usable cores); the result does not depend on it", .min = 1, .max = 256,
     .field = offsetof(cli_options, engine.threads)},
    {"memory", "MIB", "memory budget of the engine for one image; wider ones are cut into strips", .take = take_memory},
    {"rows", "N", "rows of windows per step, 1..64 (default: by the budget)", .min = 1, .max = 64,
     .field = offsetof(cli_options, engine.rows)},
    {"tile", "PX", "work in tiles of this side, 64..65528 (default: the whole image)", .min = 64, .max = MAX_TILE_PX,
     .field = offsetof(cli_options, engine.tile_px)},
    {"overlap", "PX", "pixels that a tile or strip computes beyond its own (default: 32)", .take = take_overlap},
    {"pad", "P",
     " (default: around; bench: reflect):\nhow the image continues past its edges: mirrored on all sides, mirrored at\n"
     "the right and below as far as a window needs, or as in the published test\nscript",
     .words = pad_word, .field = offsetof(cli_options, engine.pad)},
    {0},
};
