/* SPDX-License-Identifier: Apache-2.0
 * format/compression.h - how much time a PNG or WebP may take for being small: three levels by name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Server and worker exchange these values: append new ones, never renumber. */
typedef enum format_compression {
    FORMAT_COMPRESSION_DEFAULT,
    FORMAT_COMPRESSION_FAST,
    FORMAT_COMPRESSION_BEST,
    FORMAT_COMPRESSION_COUNT,
} format_compression;

/* NULL: there is no such level. */
const char *format_compression_name(size_t compression);
bool format_compression_find(const char *name, format_compression *ret_compression);
