/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/attempts.h - what an attacker would do in a worker, one function each. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

typedef struct attempt {
    const char *name;
    /* upload  A descriptor that is open for reading.  parent  The server.
     * returns 0: it worked; else an errno, if the process still lives. */
    int (*run)(int upload, pid_t parent);
} attempt;

extern const attempt attempts[];
extern const size_t attempts_count;
