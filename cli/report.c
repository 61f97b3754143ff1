/* SPDX-License-Identifier: Apache-2.0
 * cli/report.c - error lines, JSON values, exit codes. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "exit_codes.h"
#include "report.h"
#include <swin2sr/model.h>

static void put_line(const char *subject, const char *format, va_list arguments) {
    char detail[768], text[1024], line[1024];
    vsnprintf(detail, sizeof(detail), format, arguments);
    snprintf(text, sizeof(text), "swin2sr: %s%s%s", subject ? subject : "", subject ? ": " : "", detail);
    swin2sr__printable_copy(text, strlen(text), line, sizeof(line) - 1);
    strcat(line, "\n");
    fwrite(line, 1, strlen(line), stderr);
}

void report_error(const char *subject, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_line(subject, format, arguments);
    va_end(arguments);
}

void report_note(const char *subject, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_line(subject, format, arguments);
    va_end(arguments);
}

int report_json(json_t *value) {
    if (!value) {
        report_error(NULL, "out of memory");
        return CLI_EXIT_SYSTEM;
    }
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)); /* main() checks stdout */
    putchar('\n');
    json_decref(value);
    return CLI_EXIT_OK;
}

json_t *report_json_text(const char *text) {
    json_t *string = json_string(text);
    if (string)
        return string;
    char *copy = strdup(text);
    if (!copy)
        return NULL;
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    string = json_string(copy);
    free(copy);
    return string;
}

json_t *report_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

int report_exit_code(swin2sr_status status) {
    switch (status) {
    case SWIN2SR_OK:
        return CLI_EXIT_OK;
    case SWIN2SR_INVALID:
    case SWIN2SR_TOO_LARGE:
    case SWIN2SR_UNSUPPORTED:
    case SWIN2SR_CORRUPT:
        return CLI_EXIT_INPUT;
    case SWIN2SR_MODEL:
        return CLI_EXIT_MODEL;
    case SWIN2SR_IO:
        return CLI_EXIT_IO;
    default:
        return CLI_EXIT_SYSTEM;
    }
}

const char *report_precision_name(int precision) {
    static const char *const NAMES[SWIN2SR_PRECISION_COUNT] = {"auto", "fp32", "bf16", "int8"};
    return precision >= 0 && precision < SWIN2SR_PRECISION_COUNT ? NAMES[precision] : "unknown";
}
