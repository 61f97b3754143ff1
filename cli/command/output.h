/* SPDX-License-Identifier: Apache-2.0
 * cli/command/output.h - a file that appears whole or not at all.
 * Bytes go to a hidden temporary name in the same folder; output_commit renames it into place.
 * Error details name the file. "-" is standard output; devices and pipes are written in place. */
#ifndef SWIN2SR_CLI_COMMAND_OUTPUT_H
#define SWIN2SR_CLI_COMMAND_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <swin2sr/status.h>

typedef struct output_file {
    const char *path; /* borrowed */
    char *temporary;  /* NULL: written in place */
    FILE *file;
    bool may_replace;
    int error; /* errno of the first write that failed */
} output_file;

/* Open an output.
 * may_replace  An existing file may be replaced.
 * ret_output   The caller's (output_done).
 * errors       _IO (exists, cannot be created), _NOMEM. */
swin2sr_status output_open(const char *path, bool may_replace, output_file *ret_output, swin2sr_error *reterr);

/* An image_sink; context is the output. */
bool output_sink(void *context, const void *bytes, size_t size);

/* All bytes are written: put the file in its place. */
swin2sr_status output_commit(output_file *output, swin2sr_error *reterr);

/* Close; what was not committed leaves nothing behind. */
void output_done(output_file *output);

#endif
