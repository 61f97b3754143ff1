/* SPDX-License-Identifier: Apache-2.0
 * main.c - swin2sr-server: image super-resolution over HTTP.
 * In: the command line.  Out: an exit code (config.c lists them). */
#include <stdlib.h>

#include "config/config.h"
#include "server.h"

int main(int argc, char **argv) {
    server *self = calloc(1, sizeof *self);
    if (!self)
        return 1;
    config_outcome outcome = config_read(argc, argv, &self->config);
    int code = outcome == CONFIG_RUN ? server_run(self) : outcome == CONFIG_EXIT ? 0 : 2;
    config_done(&self->config);
    free(self);
    return code;
}
