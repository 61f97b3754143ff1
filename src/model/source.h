/* SPDX-License-Identifier: Apache-2.0
 * model/source.h - a weight file on disk: its bytes, the config.json beside it, and a name from its path.
 * In: a path, or open files.  Out: bytes, the text of config.json, a name. */
#pragma once

#include <swin2sr/model.h>

#define SWIN2SR__MAX_MODEL_NAME 128 /* with the terminating zero */

typedef struct swin2sr__source {
    void *data;
    size_t size;
    char *config_json;                  /* NULL: there is none */
    char name[SWIN2SR__MAX_MODEL_NAME]; /* "" without a path */
} swin2sr__source;

/* Read a regular file. Anything else at the path (a pipe, a device) is refused without waiting for it.
 * ret_source  Filled on success; the caller's (swin2sr__source_close). Untouched on failure.
 * errors      _IO, _MODEL (not a regular file, empty, too large), _NOMEM. */
swin2sr_status swin2sr__source_open(const char *path, swin2sr__source *ret_source, swin2sr_error *reterr);

/* Read open files, which stay the caller's. config_fd may be -1, path may be NULL. */
swin2sr_status swin2sr__source_open_fd(int fd, int config_fd, const char *path, swin2sr__source *ret_source,
                                       swin2sr_error *reterr);
void swin2sr__source_close(swin2sr__source *source);

/* import.c: write the network as one safetensors file that describes itself.
 * info     Of source, opened as a model, which proves that it can be run and that every number in it is finite.
 * options  Not NULL.
 * others   See swin2sr_model_import.
 * errors   _IO, _INVALID (options), _MODEL, _NOMEM. */
swin2sr_status swin2sr__import_write(const swin2sr__source *source, const swin2sr_model_info *info, const char *to_path,
                                     const swin2sr_import_options *options, swin2sr_error *reterr);
