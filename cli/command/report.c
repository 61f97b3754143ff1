/* SPDX-License-Identifier: Apache-2.0
 * cli/command/report.c - lines, JSON values, exit codes. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "format/note.h"
#include "report.h"

static void put_line(FILE *file, const char *prefix, const char *subject, const char *format, va_list arguments) {
    char *detail, *text;
    if (vasprintf(&detail, format, arguments) < 0)
        detail = NULL;
    if (!detail || asprintf(&text, "%s%s%s%s", prefix, subject ? subject : "", subject ? ": " : "", detail) < 0)
        text = NULL;
    if (text)
        swin2sr__printable_copy(text, strlen(text), text, strlen(text) + 1); /* in place: the copy is never longer */
    fprintf(file, "%s\n", text ? text : "swin2sr: out of memory");
    free(text);
    free(detail);
}

void report_error(const char *subject, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_line(stderr, "swin2sr: ", subject, format, arguments);
    va_end(arguments);
}

void report_line(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_line(stdout, "", NULL, format, arguments);
    va_end(arguments);
}

void report_add_count(char *text, size_t size, size_t number, const char *one, const char *many) {
    size_t used = strlen(text);
    if (number)
        snprintf(text + used, size - used, "%s%zu %s", used ? ", " : "", number, number == 1 ? one : many);
}

int report_failure(const char *subject, swin2sr_status status, const swin2sr_error *error) {
    if (status != SWIN2SR_OK)
        report_error(subject, "%s", error->text[0] ? error->text : swin2sr_status_name(status));
    return report_exit_code(status);
}

int report_no_memory(void) {
    report_error(NULL, "out of memory");
    return CLI_EXIT_SYSTEM;
}

int report_json(json_t *value) {
    if (!value)
        return report_no_memory();
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)); /* main() checks stdout */
    putchar('\n');
    json_decref(value);
    return CLI_EXIT_OK;
}

bool report_item(json_t *list, json_t *value) {
    if (list || !value)
        return value && json_array_append_new(list, value) == 0;
    bool is_ok = json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0;
    putchar('\n');
    fflush(stdout); /* main() checks stdout */
    json_decref(value);
    return is_ok || ferror(stdout);
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

void report_notes(const char *subject, uint32_t notes) {
    for (size_t i = 0; i < NOTE_COUNT; i++)
        if ((notes >> i & 1) && note_get(i)->sentence)
            report_note(subject, "%s", note_get(i)->sentence);
}

json_t *report_json_notes(uint32_t notes) {
    json_t *list = json_array();
    bool is_ok = list;
    for (size_t i = 0; is_ok && i < NOTE_COUNT; i++)
        if ((notes >> i & 1) && note_get(i)->token)
            is_ok = json_array_append_new(list, json_string(note_get(i)->token)) == 0;
    if (is_ok)
        return list;
    json_decref(list);
    return NULL;
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
