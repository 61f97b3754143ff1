/* SPDX-License-Identifier: Apache-2.0
 * format/metadata.c - the words of the options colour and metadata. */
#include "format/metadata.h"

#include <string.h>

#define WORDS 2

static const char *const colour_words[WORDS] = {"keep", "srgb"}, *const metadata_words[WORDS] = {"keep", "strip"};

static int find(const char *const words[WORDS], const char *word) {
    for (int i = 0; i < WORDS; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

const char *format_colour_name(size_t index) {
    return index < WORDS ? colour_words[index] : NULL;
}

const char *format_metadata_name(size_t index) {
    return index < WORDS ? metadata_words[index] : NULL;
}

int format_colour_find(const char *word) {
    return find(colour_words, word);
}

int format_metadata_find(const char *word) {
    return find(metadata_words, word);
}

uint32_t format_metadata_bits(int32_t colour, int32_t metadata, bool has_provenance) {
    return (colour ? FORMAT_METADATA_SRGB : 0) | (metadata ? FORMAT_METADATA_STRIP : 0) |
           (has_provenance ? FORMAT_METADATA_PROVENANCE : 0);
}
