/* SPDX-License-Identifier: Apache-2.0
 * format/metadata.h - what is done with what a file says of its pixels: the choices of users, as words and as bits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Server and worker exchange these bits, and records of jobs store them: append new ones, never renumber. */
#define FORMAT_METADATA_SRGB 1u       /* colours become sRGB; otherwise they are kept with their profile */
#define FORMAT_METADATA_STRIP 2u      /* EXIF and XMP are left out; otherwise they are kept */
#define FORMAT_METADATA_PROVENANCE 4u /* the network, its hash, the version and the plan are written into the file */
#define FORMAT_METADATA_ALL 7u

/* The words of the option colour: "keep", "srgb"; NULL beyond. */
const char *format_colour_name(size_t index);

/* The words of the option metadata: "keep", "strip"; NULL beyond. */
const char *format_metadata_name(size_t index);

/* Find a word of the lists above.  returns  its index; -1: it is not there. */
int format_colour_find(const char *word);
int format_metadata_find(const char *word);

/* colour, metadata  Indices of words. */
uint32_t format_metadata_bits(int32_t colour, int32_t metadata, bool has_provenance);
