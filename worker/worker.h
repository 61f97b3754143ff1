/* SPDX-License-Identifier: Apache-2.0
 * worker.h - the parts of swin2sr-worker: its networks, their self-test, and one job at a time.
 * A network must pass the self-test before the worker sends READY: built-in networks are compared with golden sums in
 * the source, other networks with the plain C kernels. */
#pragma once

#include <stdbool.h>

#include "ipc/ipc.h"
#include <swin2sr/swin2sr.h>

/* ---- golden.c ---- */

#define GOLDEN_SIDE_PX 8
#define GOLDEN_SCALE 4
#define GOLDEN_CELLS (GOLDEN_SIDE_PX * GOLDEN_SIDE_PX * 3)

/* What a built-in network makes of the test image: for each of its samples, [y][x][channel], the sum of the 4x4 output
 * samples. */
typedef struct golden {
    const char *sha256; /* of the weight file */
    uint16_t sums[GOLDEN_CELLS];
} golden;

extern const golden goldens[];
extern const size_t goldens_count;

/* ---- self_test.c ---- */

/* The golden sums for these weights; NULL: there are none. */
const golden *self_test_find_golden(const swin2sr_model *model);

/* Enlarge the test image and compare the result with the golden sums.  errors _INTERNAL: it differs. */
SWIN2SR_MUST_CHECK swin2sr_status self_test_golden(swin2sr_model *model, const golden *expected, int32_t threads,
                                                   swin2sr_error *reterr);

/* Enlarge the test image with both models and compare the results.  errors _INTERNAL: they differ. */
SWIN2SR_MUST_CHECK swin2sr_status self_test_plain(swin2sr_model *model, swin2sr_model *plain, int32_t threads,
                                                  swin2sr_error *reterr);

/* Set the costs of an image: us_per_megapixel from a run, base_bytes and column_bytes from the planner. */
SWIN2SR_MUST_CHECK swin2sr_status self_test_measure(swin2sr_model *model, int32_t threads, ipc_ready *ready,
                                                    swin2sr_error *reterr);

/* ---- networks.c ---- */

/* What to load: an open weight file, or built-in networks by name; the default network if neither is given. */
typedef struct networks_options {
    const char *names[IPC_NETWORKS_MAX];
    uint32_t name_count;
    int weights_fd, config_fd; /* -1: none */
    int32_t threads;
    swin2sr_precision precision;
    const char *device; /* "vulkan:N"; NULL: the CPU */
    int cache_fd;       /* the kernels that the driver has compiled before; 0: none */
} networks_options;

typedef struct networks {
    swin2sr_model *models[IPC_NETWORKS_MAX];
    ipc_ready facts[IPC_NETWORKS_MAX]; /* the READY of each */
    uint32_t count;
} networks;

/* Load, test and measure every network.
 * self    {0} before; networks_done afterwards, also after a failure.
 * errors  Those of swin2sr_model_open; _INTERNAL: a self-test failed. The detail names the network. */
SWIN2SR_MUST_CHECK swin2sr_status networks_open(networks *self, const networks_options *options, swin2sr_error *reterr);
void networks_done(networks *self);

/* The device of a network no longer computes. */
bool networks_is_lost(const networks *self);

/* ---- work.c ---- */

/* Run one job with one of its networks, and fill in its answer, DONE or FAILED.
 * all     With the networks that the job names.
 * socket  To the server: sends PROGRESS and receives CANCEL. Its end cancels the job too.
 * fds     Input and output of the job. Borrowed. */
void work_run(int socket, const networks *all, swin2sr_threads *threads, const ipc_job *job, const int fds[IPC_JOB_FDS],
              ipc_message *ret_message);
