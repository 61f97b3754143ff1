/* SPDX-License-Identifier: Apache-2.0
 * main.c - swin2sr-server: image super-resolution over HTTP.
 * In: the command line.  Out: an exit code (config.c lists them). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "server.h"

/* If a standard stream is closed at start, its descriptor must not become a socket or file that prints would go to. */
static bool have_standard_descriptors(void) {
    int fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    return fd >= 0 && close(fd) == 0;
}

/* Output that was asked for, such as --help, must not be lost silently. */
static int printed(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) /* the buffer may have been written before */
        return 0;
    fprintf(stderr, "swin2sr-server: standard output: cannot be written\n");
    return 1;
}

int main(int argc, char **argv) {
    server *self = have_standard_descriptors() ? calloc(1, sizeof *self) : NULL;
    if (!self)
        return 1;
    config_outcome outcome = config_read(argc, argv, &self->config);
    int code = outcome == CONFIG_RUN ? server_run(self) : outcome == CONFIG_EXIT ? printed() : 2;
    config_done(&self->config);
    free(self);
    return code;
}
