/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/inputs.h - the inputs that the arguments name: files, "-", and the images of folders.
 * In: operands.  Out: paths, sorted by name within a folder. Folders are read, files are not opened. What is left out of
 * a folder is told in one note; a folder that cannot be used becomes an input with a problem, so that it is reported in
 * its turn like any other failure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct found_input {
    char *path;
    const char *inner; /* the part of path below the folder that was named; for a file that was named, its base name */
    char *output;      /* NULL until outputs_assign */
    char *problem;     /* why it cannot be enlarged; NULL: nothing is known against it */
    int problem_code;  /* the exit code of that */
} found_input;

typedef struct input_list {
    found_input *list;
    size_t count;
} input_list;

/* How folders are walked. */
typedef struct input_walk {
    bool is_recursive;  /* folders inside too; links to folders are never followed */
    const char *output; /* a folder that is not walked into; NULL: none */
    bool is_quiet;      /* no note about what is left out */
} input_walk;

/* Append what an operand names.  returns  false: out of memory, which has been reported. */
bool inputs_add(input_list *self, const char *operand, const input_walk *walk);

/* How many have no problem. */
size_t inputs_usable(const input_list *self);
void inputs_done(input_list *self);

/* True if path is a folder; false for "-". */
bool inputs_is_folder(const char *path);

/* The length of the name without its ending and the dot before it. */
size_t inputs_stem(const char *base);
