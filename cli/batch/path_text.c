/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/path_text.c - escape and unescape the bytes of a path. */
#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path_text.h"

static bool is_utf8(const char *path) {
    json_t *string = json_string(path); /* refuses anything else */
    json_decref(string);
    return string;
}

char *path_text_encode(const char *path) {
    char *text = malloc(3 * strlen(path) + 1), *to = text;
    bool is_readable = is_utf8(path);
    for (; text && *path; path++) {
        unsigned char byte = (unsigned char)*path;
        bool is_escaped = byte < 0x20 || byte == 0x7f || byte == '%' || (byte >= 0x80 && !is_readable);
        to += is_escaped ? sprintf(to, "%%%02X", byte) : (*to = *path, 1);
    }
    if (text)
        *to = '\0';
    return text;
}

static int digit(char c) {
    return !isxdigit((unsigned char)c) ? -1
           : isdigit((unsigned char)c) ? c - '0'
                                       : toupper((unsigned char)c) - 'A' + 10;
}

char *path_text_decode(const char *text) {
    char *path = malloc(strlen(text) + 1), *to = path;
    bool is_ok = path && text[0];
    while (is_ok && *text) {
        if (*text != '%') {
            *to++ = *text++;
            continue;
        }
        int high = digit(text[1]), low = high < 0 ? -1 : digit(text[2]);
        is_ok = low >= 0 && high * 16 + low != 0;
        *to++ = (char)(high * 16 + low);
        text += is_ok ? 3 : 0;
    }
    if (is_ok) {
        *to = '\0';
        return path;
    }
    free(path);
    return NULL;
}
