/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/names.h - the inputs that the arguments name, and the name of each output.
 * In: files, folders and "-".  Out: names of files. Only folders are opened. */
#pragma once

#include <stddef.h>

#include "format/format.h"

typedef struct name_list {
    char **list;
    size_t count;
} name_list;

/* Append name and own it. NULL means that memory ran out.
 * returns  false: out of memory, which has been reported. */
bool names_take(name_list *names, char *name);
bool names_has(const name_list *names, const char *name);
void names_free(name_list *names);

/* True if path is a folder; false for "-". */
bool names_is_folder(const char *path);

/* Append an input: a file, or the images of a folder, sorted by name.
 * returns  An exit code; a failure has been reported. */
int names_add_input(name_list *inputs, const char *path);

/* FOLDER/<stem of input>_x<scale>.<ending>, which the caller frees. NULL: out of memory. */
char *names_in_folder(const char *folder, const char *input, int32_t scale, format_id format);
