/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/manifest.h - the file in the folder for outputs that says what made each of them.
 * In: OUT/.swin2sr-batch.jsonl, JSON lines.  Out: the last record of each output, and records that are appended.
 *
 * A record is on the disk before its output has its name, and has the output's size, time and SHA-256. So an output is
 * finished when it is there and is what its record says; whatever was killed, nothing else has to be looked at. Lines are
 * only appended. A last line without its end, which a crash may leave, is cut off; another damaged line is ignored, and
 * counted. The file is locked while a batch has it open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <swin2sr/status.h>

#define MANIFEST_NAME ".swin2sr-batch.jsonl"
#define MANIFEST_HASH_BYTES 65 /* of a SHA-256 in hex */
#define MANIFEST_RECIPE_BYTES 17

/* A file as it was when it was recorded. */
typedef struct manifest_file {
    uint64_t bytes;
    int64_t modified_ns; /* since 1970 */
    char sha256[MANIFEST_HASH_BYTES];
} manifest_file;

typedef struct manifest_record {
    char *output; /* below the folder for outputs */
    char *input;  /* below the folder of inputs */
    manifest_file in, out;
    char recipe[MANIFEST_RECIPE_BYTES]; /* names the options that made it */
    size_t line;
} manifest_record;

typedef struct manifest {
    int fd; /* locked; -1: not open */
    const char *folder;
    manifest_record *records; /* one per output, sorted */
    size_t count;
    size_t damaged; /* lines that are ignored */
    bool has_recipe;
} manifest;

/* Open or make the manifest of a folder, lock it, and read it.
 * folder        Borrowed.
 * is_read_only  Neither make it nor lock it; a folder without one is like one with an empty one.
 * recipe        The options of this run, by name: whether they are described is in has_recipe.
 * errors        _IO (cannot be read or made), _BUSY (another batch has it), _NOMEM. */
swin2sr_status manifest_open(const char *folder, bool is_read_only, const char *recipe, manifest *ret_manifest,
                             swin2sr_error *reterr);

/* The record of an output; NULL: there is none. */
const manifest_record *manifest_find(const manifest *self, const char *output);

/* Append the description of a recipe, which is a JSON text without line ends.  errors: _IO, _NOMEM. */
swin2sr_status manifest_add_recipe(manifest *self, const char *recipe, const char *json, swin2sr_error *reterr);

/* Append a record and flush it to the disk; it is not found by this run.  errors: _IO, _NOMEM. */
swin2sr_status manifest_add(manifest *self, const manifest_record *record, swin2sr_error *reterr);

void manifest_close(manifest *self);

/* Size, time and SHA-256 of an open file, which is read from its beginning.  errors: _IO. */
swin2sr_status manifest_measure(int fd, manifest_file *ret_file, swin2sr_error *reterr);

/* Whether a file is still what was recorded: by size and time, else by its bytes. A missing file is not. */
bool manifest_is_same(const char *path, const manifest_file *file);
