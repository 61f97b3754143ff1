/* SPDX-License-Identifier: Apache-2.0
 * format/compression.c - the names of the levels of compression. */
#include "format/compression.h"

#include <string.h>

static const char *const names[FORMAT_COMPRESSION_COUNT] = {
    [FORMAT_COMPRESSION_DEFAULT] = "default",
    [FORMAT_COMPRESSION_FAST] = "fast",
    [FORMAT_COMPRESSION_BEST] = "best",
};

const char *format_compression_name(size_t compression) {
    return compression < FORMAT_COMPRESSION_COUNT ? names[compression] : NULL;
}

bool format_compression_find(const char *name, format_compression *ret_compression) {
    for (int i = 0; i < FORMAT_COMPRESSION_COUNT; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret_compression = (format_compression)i;
            return true;
        }
    return false;
}
