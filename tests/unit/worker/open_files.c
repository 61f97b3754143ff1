/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/open_files.c - a library for LD_PRELOAD that opens files before main and keeps them open. */
#include <fcntl.h>

__attribute__((constructor)) static void open_files(void) {
    for (int i = 0; i < 4; i++)
        (void)!open("/dev/null", O_RDONLY);
}
