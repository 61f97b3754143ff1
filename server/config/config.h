/* SPDX-License-Identifier: Apache-2.0
 * config/config.h - how the server was told to run: flags over defaults, every number checked. */
#ifndef SWIN2SR_SERVER_CONFIG_H
#define SWIN2SR_SERVER_CONFIG_H

#include <stddef.h>
#include <stdint.h>

typedef struct server_config {
    char host[64]; /* numeric address or a name; default 127.0.0.1 */
    char port[8];  /* 0: any free one; default 8080 */
    int32_t workers;
    int32_t threads;       /* of a worker */
    const char *model;     /* a weight file; NULL: the network inside the worker */
    const char *precision; /* auto, fp32, bf16, int8 */
    uint64_t body_bytes_max;
    uint64_t in_pixels_max;
    int32_t queue_max;
    int32_t deadline_s;
    int32_t drain_s;
    const char *spool;
    char worker[4096]; /* the program; default: swin2sr-worker beside this one */
} server_config;

typedef enum config_outcome {
    CONFIG_RUN = 0,
    CONFIG_EXIT,  /* --help, --version: said on stdout */
    CONFIG_WRONG, /* one line on stderr says what */
} config_outcome;

/* Read the command line. Texts are borrowed from argv and the environment. */
config_outcome config_read(int argc, char **argv, server_config *ret_config);

#endif
