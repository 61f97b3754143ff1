/* SPDX-License-Identifier: Apache-2.0
 * base/error.c - the detail text of a failure. */
#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool continues_character(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Format the text without splitting its last UTF-8 character. */
static void format_text(swin2sr_error *error, const char *format, va_list arguments) {
    char text[sizeof(error->text) + 1] = ""; /* the extra byte shows whether a character would be split */
    size_t end = sizeof(error->text) - 1;
    vsnprintf(text, sizeof(text), format, arguments);
    while (end > 0 && continues_character(text[end]))
        end--;
    text[end] = '\0';
    memcpy(error->text, text, end + 1);
}

swin2sr_status swin2sr__error_set(swin2sr_error *reterr, swin2sr_status status, const char *format, ...) {
    if (reterr) {
        va_list arguments;
        va_start(arguments, format);
        format_text(reterr, format, arguments);
        va_end(arguments);
    }
    return status;
}

swin2sr_status swin2sr__error_set_path(swin2sr_error *reterr, swin2sr_status status, const char *path,
                                       const char *format, ...) {
    if (reterr) {
        swin2sr_error detail;
        va_list arguments;
        va_start(arguments, format);
        format_text(&detail, format, arguments);
        va_end(arguments);
        size_t used = strlen(detail.text) + strlen("...: "), length = strlen(path);
        size_t room = used < sizeof(detail.text) - 1 ? sizeof(detail.text) - 1 - used : 0;
        const char *cut = length > room + 3 ? path + (length - room) : path;
        while (cut > path && continues_character(*cut))
            cut++;
        swin2sr__error_set(reterr, status, "%s%s%s%s", cut > path ? "..." : "", cut, room ? ": " : "", detail.text);
    }
    return status;
}

swin2sr_status swin2sr__error_set_errno(swin2sr_error *reterr, const char *path) {
    return swin2sr__error_set_path(reterr, SWIN2SR_IO, path, "%m");
}
