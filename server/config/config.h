/* SPDX-License-Identifier: Apache-2.0
 * config/config.h - how the server was told to run: flags over environment over a file over defaults, all checked. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/models.h"

typedef struct server_config {
    char host[64];        /* numeric address or a name */
    char port[8];         /* 0: any free one */
    int32_t workers;      /* of a model for which models_text names no number */
    int32_t worker_count; /* of all models together */
    int32_t threads;      /* of a worker */
    const char *models_text;
    served_models models;  /* what it says, with the number of workers of each */
    const char *precision; /* auto, fp32, bf16, int8 */
    uint64_t body_bytes_max;
    uint64_t in_pixels_max;
    int32_t frames_max; /* of an animation */
    int32_t queue_max;
    int32_t deadline_s;
    int32_t drain_s;
    int32_t recycle_jobs; /* a worker is replaced after so many; 0: never */
    int32_t connections_max;
    int32_t client_connections_max; /* of one address; 0: no limit */
    int32_t idle_s;                 /* a connection may be silent */
    int32_t header_s;               /* a connection may take to begin a request and send its header */
    int32_t transfer_s;             /* a body may take to come in, an answer to go out */
    const char *data;               /* folder of jobs and unfinished uploads; NULL: none */
    const char *node;               /* first part of the id of each job */
    int32_t upload_hours;           /* a resumable upload is kept */
    const char *spool;
    const char *worker;      /* the program; default: swin2sr-worker beside this one */
    char *file_text;         /* of --config, or NULL; texts point into it */
    char beside[4096];       /* the default of worker */
    char data_uploads[4096]; /* the default of spool, with data */
} server_config;

typedef enum config_outcome {
    CONFIG_RUN = 0,
    CONFIG_EXIT,  /* --help, --version, --print-config: said on stdout */
    CONFIG_WRONG, /* one line on stderr says what */
} config_outcome;

/* Read the command line, the environment and the file they name. Texts are borrowed from the first two. self is not
 * moved afterwards. config_done frees what is not borrowed, whatever the outcome. */
config_outcome config_read(int argc, char **argv, server_config *self);
void config_done(server_config *self);
