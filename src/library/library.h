/* SPDX-License-Identifier: Apache-2.0
 * library/library.h - the networks kept on this machine, by name, and which of them is best for a task.
 * In: names from users.  Out: paths of NAME.safetensors in one folder: $SWIN2SR_MODELS, else
 * $XDG_DATA_HOME/swin2sr/models, else ~/.local/share/swin2sr/models.  A name never leads out of that folder.
 * No network is opened here, so the server may use it; no state: the environment and the folder are read at each call. */
#ifndef SWIN2SR_LIBRARY_LIBRARY_H
#define SWIN2SR_LIBRARY_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/built_in.h"
#include <swin2sr/status.h>

/* The default network. Like the others of base/built_in.h it is no file of the library. */
#define LIBRARY_BUILT_IN SWIN2SR__BUILT_IN_DEFAULT

#define LIBRARY_MAX_NAME 65   /* bytes of a name with the terminating zero */
#define LIBRARY_MAX_PATH 4096 /* the same of a path */
#define LIBRARY_ENDING ".safetensors"

/* Does text name a file rather than a model: has it a slash, or the ending of a weight file? */
bool library_is_file_name(const char *text);

/* The name that a file suggests: its last part without the ending, in lower case with - for blanks; the folder's where
 * the file has the name that every published one has. Whether that is a name is for library_is_name to say. */
void library_name_of_path(const char *path, char ret_name[LIBRARY_MAX_NAME]);

/* 1 to 64 of [a-z0-9._-], the first a letter or digit, and no file name by the rule above. */
bool library_is_name(const char *text);

/* The folder of the library; it need not exist.
 * errors  _INVALID where the environment names none, or size is too small. */
swin2sr_status library_folder(char *ret_path, size_t size, swin2sr_error *reterr);

/* FOLDER/NAME + ending, whether it is there or not.
 * errors  _INVALID (not a name, or as library_folder). */
swin2sr_status library_path(const char *name, const char *ending, char *ret_path, size_t size, swin2sr_error *reterr);

/* Is there a network of this name inside the program? */
bool library_is_built_in(const char *name);

/* The path of a model that is in the library.
 * errors  _INVALID (not a name), _MODEL (no such file), _IO. The detail names the folder: not for clients. */
swin2sr_status library_find(const char *name, char *ret_path, size_t size, swin2sr_error *reterr);

typedef struct library_entry {
    char name[LIBRARY_MAX_NAME];
    uint64_t bytes; /* of its file */
} library_entry;

typedef struct library_list {
    library_entry *entries; /* by name, in the order of bytes */
    size_t count;
} library_list;

/* The models of the library; a folder that does not exist holds none.
 * ret_list  The caller's (library_list_done).
 * errors    _INVALID (library_folder), _IO, _NOMEM. */
swin2sr_status library_list_open(library_list *ret_list, swin2sr_error *reterr);
void library_list_done(library_list *list);

/* "photo", "clean", "compressed", "jpeg", "fast" for index 0 to 4, NULL beyond. */
const char *library_task_name(size_t index);

/* One of those, or NULL: there is no such task. */
const char *library_task_find(const char *text);

/* How well a model fits a task: 0 is best. Negative: not for it, or one of the two is unknown. */
int32_t library_task_rank(const char *task, const char *model_name);

/* The task that a model fits best, or NULL: it is in none of the lists. */
const char *library_task_of(const char *model_name);

/* The best of many models for a task: start with {0} and consider each; of equals the first stays. */
typedef struct library_choice {
    const char *name; /* borrowed; NULL: none fits */
    int32_t rank;
} library_choice;

void library_choice_consider(library_choice *best, const char *task, const char *model_name);

#endif
