/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/names.h - the inputs that arguments stand for, and the name of each output.
 * In: files, folders and "-".  Out: names of files; nothing is opened but folders. */
#ifndef SWIN2SR_CLI_UPSCALE_NAMES_H
#define SWIN2SR_CLI_UPSCALE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/format.h"

typedef struct name_list {
    char **list;
    size_t count;
} name_list;

/* Append name, which may be NULL (out of memory), and own it.  returns false: out of memory, reported. */
bool names_take(name_list *names, char *name);
bool names_has(const name_list *names, const char *name);
void names_free(name_list *names);

/* Is path a folder? "-" is none. */
bool names_is_folder(const char *path);

/* Append an input, or the images of a folder in the order of their names.
 * returns  An exit code; a failure has been reported. */
int names_add_input(name_list *inputs, const char *path);

/* FOLDER/<stem of input>_x<scale>.<format>, the caller's; NULL: out of memory. */
char *names_in_folder(const char *folder, const char *input, int32_t scale, format_id format);

#endif
