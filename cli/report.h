/* SPDX-License-Identifier: Apache-2.0
 * cli/report.h - how the program speaks: one line on stderr for an error or a note, one JSON value on stdout.
 * Control characters of file names and options are shown as '?', so that a message stays one line. */
#ifndef SWIN2SR_CLI_REPORT_H
#define SWIN2SR_CLI_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include <swin2sr/status.h>

/* "swin2sr: SUBJECT: detail" for what failed; subject may be NULL. */
void report_error(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for what is good to know; callers leave it out under --quiet. */
void report_note(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print value to stdout with a newline and give the reference back. value may be NULL: out of memory. */
int report_json(json_t *value);

/* A JSON string of any bytes; those that are not UTF-8 become '?'. */
json_t *report_json_text(const char *text);

/* A JSON number; null for what JSON has no number for. */
json_t *report_json_real(double value);

/* The exit code of a failed call. */
int report_exit_code(swin2sr_status status);

/* "fp32", ... */
const char *report_precision_name(int precision);

#endif
