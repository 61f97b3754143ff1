/* SPDX-License-Identifier: Apache-2.0
 * library/library.h - the model library: networks installed on this machine, by name, and the best one for a task.
 * In: names from users.  Out: paths of NAME.safetensors in one folder: $SWIN2SR_MODELS, else
 * $XDG_DATA_HOME/swin2sr/models, else ~/.local/share/swin2sr/models.  A name never leads out of that folder.
 * Nothing is cached: each call reads the environment and the folder. No network is opened here, so the server, which
 * links no engine, uses it too. The C library is called libswin2sr; "library" always means this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/built_in.h"
#include <swin2sr/status.h>

/* The default network. Like the others of base/built_in.h it is inside the program, not in the library. */
#define LIBRARY_BUILT_IN SWIN2SR__BUILT_IN_DEFAULT

#define LIBRARY_MAX_NAME 65   /* bytes of a name, terminating zero included */
#define LIBRARY_MAX_PATH 4096 /* bytes of a path, terminating zero included */
#define LIBRARY_ENDING ".safetensors"

/* True if text names a file rather than a model: it has a slash, or the ending of a weight file. */
bool library_is_file_name(const char *text);

/* The name that a file suggests: its base name without the ending, in lower case, with - for blanks. For
 * model.safetensors and pytorch_model.bin, the base name that most published networks have, it is the name of the
 * folder. The result may not satisfy library_is_name. */
void library_name_of_path(const char *path, char ret_name[LIBRARY_MAX_NAME]);

/* 1 to 64 characters of [a-z0-9._-], the first a letter or digit, and not a file name by library_is_file_name. */
bool library_is_name(const char *text);

/* The folder of the library, which need not exist.
 * errors  _INVALID: the environment names none, or its path does not fit into size. */
swin2sr_status library_folder(char *ret_path, size_t size, swin2sr_error *reterr);

/* FOLDER/NAME + ending, whether that file exists or not.
 * errors  _INVALID: not a name, or library_folder failed. */
swin2sr_status library_path(const char *name, const char *ending, char *ret_path, size_t size, swin2sr_error *reterr);

/* True if a network inside the program has this name. */
bool library_is_built_in(const char *name);

/* The path of an installed model.
 * errors  _INVALID (not a name), _MODEL (no such file), _IO. The detail names the folder: do not send it to clients. */
swin2sr_status library_find(const char *name, char *ret_path, size_t size, swin2sr_error *reterr);

typedef struct library_entry {
    char name[LIBRARY_MAX_NAME];
    uint64_t bytes; /* of its file */
} library_entry;

typedef struct library_list {
    library_entry *entries; /* sorted by name */
    size_t count;
} library_list;

/* The installed models; none if the folder does not exist.
 * ret_list  The caller's (library_list_done).
 * errors    _INVALID (library_folder), _IO, _NOMEM. */
swin2sr_status library_list_open(library_list *ret_list, swin2sr_error *reterr);
void library_list_done(library_list *list);

/* The task of which the picture decides: it takes the network inside the program that has the role for it. No network
 * has a rank for it. */
#define LIBRARY_TASK_AUTO "auto"

/* "auto", "photo", "clean", "compressed", "jpeg", "fast" for index 0 to 5, NULL beyond. */
const char *library_task_name(size_t index);

/* The task of this name as library_task_name returns it, or NULL. */
const char *library_task_find(const char *text);

/* How well a model suits a task: 0 is best; negative: not at all, or the task or model is unknown. */
int32_t library_task_rank(const char *task, const char *model_name);

/* The task that a model suits best, or NULL if it suits none. */
const char *library_task_of(const char *model_name);

/* The best of several models for a task: start with {0}, then consider each. Of equal ones the first is kept. */
typedef struct library_choice {
    const char *name; /* borrowed; NULL: none suits the task */
    int32_t rank;
} library_choice;

void library_choice_consider(library_choice *best, const char *task, const char *model_name);
