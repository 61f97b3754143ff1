/* SPDX-License-Identifier: Apache-2.0
 * cli/command/report.h - messages on stderr, lines and JSON values on stdout, and the exit code of a failed call.
 * Control characters of file names and options are shown as '?', so that a message stays one line. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <swin2sr/status.h>

/* The program's exit codes; docs/cli.md repeats this table. With several inputs, the largest code is returned. */
typedef enum cli_exit {
    CLI_EXIT_OK = 0,
    CLI_EXIT_INPUT = 1,     /* an input is damaged, of a kind that is not read, or over a limit or the memory budget */
    CLI_EXIT_UNHEALTHY = 1, /* only healthcheck: the service did not answer 200 */
    CLI_EXIT_USAGE = 2,     /* unknown command, option or value */
    CLI_EXIT_MODEL = 3,     /* the model is missing, damaged, or cannot run with these options */
    CLI_EXIT_IO = 4,        /* a file could not be read or written; an output exists and --force is not given */
    CLI_EXIT_SYSTEM = 5,    /* out of memory, or a bug */
    CLI_EXIT_SIGNAL = 128,  /* + the signal: 130 after Ctrl-C */
} cli_exit;

/* Print "swin2sr: SUBJECT: detail" for an error; subject may be NULL. */
void report_error(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print the same kind of line for a note. Callers print no notes under --quiet. */
#define report_note report_error

/* Print a line on stdout. */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Append "3 files" to a text of several counts, as far as it fits; nothing for 0. */
void report_add_count(char *text, size_t size, size_t number, const char *one, const char *many);

/* Report a failed call by its detail, or by the name of its status if there is none; nothing for SWIN2SR_OK.
 * returns  report_exit_code(status). */
int report_failure(const char *subject, swin2sr_status status, const swin2sr_error *error);

/* Report that memory ran out.  returns  CLI_EXIT_SYSTEM. */
int report_no_memory(void);

/* Print value to stdout with a newline and release the reference. NULL means that memory ran out.
 * returns  An exit code. */
int report_json(json_t *value);

/* Append value to a list, or print it as one line at once if there is no list; owns value.
 * returns  false: value is NULL, or memory ran out. */
bool report_item(json_t *list, json_t *value);

/* A JSON string of any bytes; those that are not UTF-8 become '?'. */
json_t *report_json_text(const char *text);

/* A JSON number; null for infinity and NAN. */
json_t *report_json_real(double value);

/* Print each note that has a sentence (format/note.h). */
void report_notes(const char *subject, uint32_t notes);

/* The tokens of notes, as a list.  returns  NULL: out of memory. */
json_t *report_json_notes(uint32_t notes);

/* The exit code of a failed call. */
int report_exit_code(swin2sr_status status);
