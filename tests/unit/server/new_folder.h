/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/new_folder.h - for one test: an empty folder, which is removed with all that is in it.
 * *state is its path. Only files of tests include this. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_fixture(void **state) {
    char *path = strdup("/tmp/swin2sr-folder-XXXXXX");
    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static int close_fixture(void **state) {
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    int code = system(command);
    free(*state);
    return code;
}
