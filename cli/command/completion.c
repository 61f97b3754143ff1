/* SPDX-License-Identifier: Apache-2.0
 * cli/command/completion.c - print completion scripts from the tables of options.
 * Both scripts first find out which command and verb the line has, then complete the options of these. Names in the
 * tables have no characters that a shell would interpret, which a test checks. */
#include <stdio.h>
#include <string.h>

#include "completion.h"

static const char *const SHELLS[] = {"bash", "zsh"};

const char *completion_shell(size_t index) {
    return index < sizeof(SHELLS) / sizeof(SHELLS[0]) ? SHELLS[index] : NULL;
}

/* ---- both ---- */

/* Call print for each option of a command. A verb has the options of its command in its own groups. */
static void each_option(const cli_command *command, void (*print)(const char *path, const cli_option *option),
                        const char *path) {
    for (const cli_option *const *group = command->groups; *group; group++)
        for (const cli_option *option = *group; option->name; option++)
            print(path, option);
}

/* Call print for each command without verbs, and for each verb; path: "upscale", "model pull". */
static void each_path(const cli_command *const *commands, void (*print)(const char *path, const cli_command *command)) {
    for (; *commands; commands++) {
        if (!(*commands)->verbs)
            print((*commands)->name, *commands);
        for (const cli_command *const *verb = (*commands)->verbs; verb && *verb; verb++)
            print((*verb)->title + strlen("swin2sr "), *verb);
    }
}

static void print_names(const cli_command *const *commands) {
    for (size_t i = 0; commands[i]; i++)
        printf("%s%s", i ? " " : "", commands[i]->name);
}

static void print_words(cli_words *words) {
    for (size_t i = 0; words(i); i++)
        printf("%s%s", i ? " " : "", words(i));
}

static bool takes_file(const cli_option *option) {
    return strstr(option->value, "FILE") || strcmp(option->value, "OUT") == 0;
}

/* ---- bash ---- */

static const char BASH_BEGIN[] =
    "# bash completion for swin2sr, printed by 'swin2sr completion bash'\n\n"
    "_swin2sr() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path=${COMP_WORDS[1]} start=2 words=\n"
    "    COMPREPLY=()\n"
    "    [[ $word == = ]] && word=\n" /* --format=p is three words to bash */
    "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    case $path in\n";

static const char BASH_END[] = "    [[ $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                               "}\n\n"
                               "complete -o default -F _swin2sr swin2sr\n";

/* "PATH --NAME" | "PATH -N" */
static void print_bash_pattern(const char *path, const cli_option *option) {
    printf("\"%s --%s\"", path, option->name);
    if (option->letter)
        printf(" | \"%s -%c\"", path, option->letter);
}

static void print_bash_words(const char *path, const cli_option *option) {
    if (!option->words)
        return;
    printf("    ");
    print_bash_pattern(path, option);
    printf(") words=\"");
    print_words(option->words);
    printf("\" ;;\n");
}

static void print_bash_file(const char *path, const cli_option *option) {
    if (option->words || !option->value || !takes_file(option))
        return;
    printf(" | \\\n        ");
    print_bash_pattern(path, option);
}

static void print_bash_other(const char *path, const cli_option *option) {
    if (option->words || !option->value || takes_file(option))
        return;
    printf(" | \\\n        ");
    print_bash_pattern(path, option);
}

static void print_bash_all_words(const char *path, const cli_command *command) {
    each_option(command, print_bash_words, path);
}

static void print_bash_files(const char *path, const cli_command *command) {
    each_option(command, print_bash_file, path);
}

static void print_bash_others(const char *path, const cli_command *command) {
    each_option(command, print_bash_other, path);
}

/* What follows an option with a value: one of its words; a file, which bash completes by itself; or nothing known. */
static void print_bash_values(const cli_command *const *commands) {
    printf("    (( COMP_CWORD > start )) && case \"$path $before\" in\n");
    each_path(commands, print_bash_all_words);
    printf("    \"a file\"");
    each_path(commands, print_bash_files);
    printf(") return ;;\n    \"another value\"");
    each_path(commands, print_bash_others);
    printf(") compopt +o default 2> /dev/null; return ;;\n    esac\n");
}

static void print_bash_option(const char *path, const cli_option *option) {
    printf(" --%s", option->name);
    if (option->letter)
        printf(" -%c", option->letter);
}

static void print_bash_options(const char *path, const cli_command *command) {
    printf("        \"%s\") words=\"", path);
    each_option(command, print_bash_option, path);
    printf("\" ;;\n");
}

static void print_bash(const cli_command *const *commands) {
    fputs(BASH_BEGIN, stdout);
    for (const cli_command *const *each = commands; *each; each++)
        if ((*each)->verbs) {
            printf("    %s)\n        path+=\" ${COMP_WORDS[2]}\" start=3\n        (( COMP_CWORD == 2 )) && words=\"",
                   (*each)->name);
            print_names((*each)->verbs);
            printf("\" ;;\n");
        }
    printf("    help) (( COMP_CWORD == 2 )) && words=\"");
    print_names(commands);
    printf("\" ;;\n    completion) (( COMP_CWORD == 2 )) && words=\"");
    print_words(completion_shell);
    printf("\" ;;\n    esac\n    (( COMP_CWORD == 1 )) && words=\"");
    print_names(commands);
    printf(" help --help --version\"\n");
    print_bash_values(commands);
    printf("    if [[ ! $words && $word == -* ]]; then\n        case $path in\n");
    each_path(commands, print_bash_options);
    printf("        esac\n    fi\n");
    fputs(BASH_END, stdout);
}

/* ---- zsh ---- */

static const char ZSH_BEGIN[] = "#compdef swin2sr\n"
                                "# zsh completion for swin2sr, printed by 'swin2sr completion zsh'\n\n"
                                "local what=$words[2]\n"
                                "if (( CURRENT == 2 )); then\n"
                                "    compadd -- ";

/* The help of an option as one line, without the characters that separate the parts of a specification. */
static void print_zsh_help(const char *help) {
    help += strspn(help, ": \n");
    for (; *help; help++)
        if (*help == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *help))
            printf("\\%c", *help);
        else
            putchar(*help == '\n' ? ' ' : *help);
}

static void print_zsh_option(const char *path, const cli_option *option) {
    printf(" \\\n            ");
    if (option->letter)
        printf("'(-%c --%s)'{-%c,--%s}'[", option->letter, option->name, option->letter, option->name);
    else
        printf("'--%s[", option->name);
    print_zsh_help(option->help);
    putchar(']');
    if (option->value)
        printf(":%s:", option->value);
    if (option->words) {
        putchar('(');
        print_words(option->words);
        putchar(')');
    } else if (option->value && takes_file(option)) {
        printf("_files");
    }
    putchar('\'');
}

static void print_zsh_options(const char *path, const cli_command *command) {
    printf("    '%s')\n        _arguments -s -S", path);
    each_option(command, print_zsh_option, path);
    printf(" \\\n            '*:file:_files' ;;\n");
}

static void print_zsh(const cli_command *const *commands) {
    fputs(ZSH_BEGIN, stdout);
    print_names(commands);
    printf(" help --help --version\n    return\nfi\nshift words\n(( CURRENT-- ))\ncase $what in\n");
    for (const cli_command *const *each = commands; *each; each++)
        if ((*each)->verbs) {
            printf("    %s)\n        if (( CURRENT == 2 )); then\n            compadd -- ", (*each)->name);
            print_names((*each)->verbs);
            printf("\n            return\n        fi\n        what+=\" $words[2]\"\n        shift words\n"
                   "        (( CURRENT-- )) ;;\n");
        }
    printf("    help) (( CURRENT == 2 )) && compadd -- ");
    print_names(commands);
    printf(" ;;\n    completion) (( CURRENT == 2 )) && compadd -- ");
    print_words(completion_shell);
    printf(" ;;\nesac\ncase $what in\n");
    each_path(commands, print_zsh_options);
    printf("esac\n");
}

void completion_print(size_t shell, const cli_command *const *commands) {
    if (shell == 0)
        print_bash(commands);
    else
        print_zsh(commands);
}
