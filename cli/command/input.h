/* SPDX-License-Identifier: Apache-2.0
 * cli/command/input.h - a file or standard input, read whole into memory, up to a limit. */
#pragma once

#include <stddef.h>
#include <time.h>

#include <swin2sr/status.h>

#define INPUT_MAX_BYTES ((size_t)1 << 30)

typedef struct input_file {
    unsigned char *bytes;
    size_t size;
    struct timespec modified; /* modification time; tv_nsec UTIME_OMIT: not a regular file */
} input_file;

/* Read a file; "-" is standard input.
 * ret_input  The caller's (input_done).
 * errors     _IO, _TOO_LARGE (over INPUT_MAX_BYTES), _NOMEM. */
swin2sr_status input_read(const char *path, input_file *ret_input, swin2sr_error *reterr);
void input_done(input_file *input);
