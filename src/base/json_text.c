/* SPDX-License-Identifier: Apache-2.0
 * base/json_text.c - a JSON document as text that is whole.
 * The text is written into a buffer that is large enough, so that writing needs no memory. */
#include "base/json_text.h"

#include <stdlib.h>

char *swin2sr__json_text(const json_t *document, size_t flags) {
    size_t size = document ? json_dumpb(document, NULL, 0, flags) : 0;
    char *text = size ? malloc(size + 1) : NULL;
    if (!text)
        return NULL;
    if (json_dumpb(document, text, size, flags) != size) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}
