/* SPDX-License-Identifier: Apache-2.0
 * networks.h - the networks of a worker: loaded, tested and measured before it says READY. */
#pragma once

#include "ipc/ipc.h"
#include <swin2sr/swin2sr.h>

/* What to load: a weight file that is open, or networks inside the program by name; none of both is the default one. */
typedef struct networks_options {
    const char *names[IPC_NETWORKS_MAX];
    uint32_t name_count;
    int weights_fd, config_fd; /* -1: none */
    int32_t threads;
    swin2sr_precision precision;
} networks_options;

typedef struct networks {
    swin2sr_model *models[IPC_NETWORKS_MAX];
    ipc_ready facts[IPC_NETWORKS_MAX]; /* READY of each */
    uint32_t count;
} networks;

/* Load every network, compare what it makes of a known picture, and measure what it costs.
 * self    {0} before; networks_done afterwards, also after a failure.
 * errors  Those of swin2sr_model_open; _INTERNAL: a self-test failed. The detail names the network. */
SWIN2SR_MUST_CHECK swin2sr_status networks_open(networks *self, const networks_options *options, swin2sr_error *reterr);
void networks_done(networks *self);
