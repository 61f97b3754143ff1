/* SPDX-License-Identifier: Apache-2.0
 * http/listen.h - the sockets that the server listens on (stage 1 of 9, request).
 * In: addresses of the config.  Out: listening sockets, one for each address that a name has. */
#pragma once

#include <sys/types.h>

#include "config/config.h"
#include "http/router.h"

typedef struct listener {
    int fd;
    http_side side;
    const char *path; /* of a Unix socket, borrowed from the config; NULL: a TCP socket */
    dev_t device;     /* of the file at path */
    ino_t inode;
} listener;

typedef struct listener_set {
    listener rows[LIMIT_LISTENERS];
    int count;
} listener_set;

/* Listen on all addresses of --listen and --metrics-listen. self is {0} before.
 * errors  _IO: an entry has no address of this machine, or one that cannot be listened on. */
SWIN2SR_MUST_CHECK swin2sr_status listen_open(const server_config *config, listener_set *self, swin2sr_error *reterr);

/* The address, as numbers or as a path, and the port that the kernel chose for port 0; port 0: a Unix socket. */
void listen_describe(const listener *self, char ret_address[LIMIT_SOCKET_PATH_BYTES], int *ret_port);

/* Close the sockets. The files of Unix sockets are removed, unless others have taken their place. */
void listen_close(listener_set *self);
