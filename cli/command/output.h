/* SPDX-License-Identifier: Apache-2.0
 * cli/command/output.h - an output that appears whole or not at all.
 * "-" is standard output; devices and pipes are written in place. Error details name the file. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/new_file.h"

/* Why an existing file is not replaced without --force. */
#define OUTPUT_EXISTS "exists already; --force replaces it"

typedef struct output_file {
    const char *path; /* borrowed */
    FILE *file;
    swin2sr__new_file whole;  /* not open where the output is written in place */
    struct timespec modified; /* modification time to set at commit; tv_nsec UTIME_OMIT: none */
    int error;                /* errno of the first write that failed, or 0 */
    int time_error;           /* errno of setting that time, or 0 */
} output_file;

/* An output that is not open; output_done takes it. */
#define OUTPUT_NONE ((output_file){.whole.fd = -1, .modified.tv_nsec = UTIME_OMIT})

/* Open an output. A name that the file system does not accept is refused here, before the work.
 * may_replace  An existing file may be replaced.
 * ret_output   The caller's (output_done).
 * errors       _IO (exists, cannot be created), _NOMEM. */
swin2sr_status output_open(const char *path, bool may_replace, output_file *ret_output, swin2sr_error *reterr);

/* An image_sink; context is the output. */
bool output_sink(void *context, const void *bytes, size_t size);

/* Write what is buffered and flush it to the disk, before the file gets its name.
 * errors  _IO, also of the first write that failed; output->error says which. */
swin2sr_status output_flush(output_file *output, swin2sr_error *reterr);

/* The same, and give the file its name.  errors: _IO; output->error says which. */
swin2sr_status output_commit(output_file *output, swin2sr_error *reterr);

/* Close; an output that was not committed leaves nothing behind. */
void output_done(output_file *output);

/* Whether something has this name already, be it a link that leads nowhere; false for "-". */
bool output_exists(const char *path);

/* Remove what outputs of programs that were killed have left in a folder. Those at work are let be. */
void output_sweep(const char *folder);

/* Why an input is skipped under --skip-existing. */
#define OUTPUT_SKIPPED "the output exists already"

/* Make the folders above a path.  errors: _IO. */
swin2sr_status output_make_parents(const char *path, swin2sr_error *reterr);

/* Make a folder and those above it that do not exist.  errors: _IO. */
swin2sr_status output_make_folder(const char *path, swin2sr_error *reterr);
