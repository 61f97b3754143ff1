/* SPDX-License-Identifier: Apache-2.0
 * base/printable.c - replace the control characters of a text. */
#include "base/printable.h"

#include <stdbool.h>

static bool continues_character(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The length of the control character at `at`, or 0 if there is none. Those from U+0080 on have two bytes in UTF-8. */
static size_t control_bytes(const char *at, const char *end) {
    unsigned char first = (unsigned char)at[0], second = end - at > 1 ? (unsigned char)at[1] : 0;
    if (first < 0x20 || first == 0x7f)
        return 1;
    return first == 0xc2 && second >= 0x80 && second < 0xa0 ? 2 : 0;
}

void swin2sr__printable_copy(const char *text, size_t length, char *ret_text, size_t size) {
    const char *at = text, *end = text + length;
    size_t used = 0;
    while (at < end && used + 1 < size) {
        size_t control = control_bytes(at, end);
        ret_text[used++] = control ? '?' : *at;
        at += control ? control : 1;
    }
    if (at < end && continues_character(*at)) { /* a character did not fit: remove its beginning */
        while (used && continues_character(ret_text[used - 1]))
            used--;
        used -= used > 0;
    }
    ret_text[used] = '\0';
}
