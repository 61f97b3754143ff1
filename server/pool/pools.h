/* SPDX-License-Identifier: Apache-2.0
 * pool/pools.h - the networks that are served, and the pools that serve them (stage 3 of 9, dispatch).
 * The built-in networks share one pool with one queue; each weight file has its own pool. A job waits only for workers
 * of its own pool, so jobs of other pools do not delay it. */
#pragma once

#include "pool/pool.h"

typedef struct pool_set {
    network networks[LIMIT_MODELS]; /* in the order of config->models: the first is the default */
    int network_count;              /* 0 before pools_init */
    pool pools[LIMIT_MODELS];
    int pool_count;
    device_list devices;
} pool_set;

/* Find the devices and start all workers. All pointers are borrowed. The caller does not move self afterwards. */
void pools_init(pool_set *self, const server_config *config, event_loop *loop, server_log *log,
                server_metrics *metrics);

/* The network of this name; NULL: it is not served. */
network *pools_find(pool_set *self, const char *name);

/* The network of a job that was accepted with this name: of one that was inside an earlier version of the program, what
 * took its place. NULL: it is not served. */
network *pools_find_for_job(pool_set *self, const char *name);

/* The served network that fits a task best, by the rule of `swin2sr upscale --task`; NULL: none fits. */
network *pools_find_for_task(pool_set *self, const char *task);

/* The network for a request that names none, or task=auto: with one from the program that takes pictures in doubt, and
 * in its pool one for undamaged ones, the picture decides between the two; otherwise it is the default.
 * is_asked       task=auto was given; otherwise the default network goes first.
 * ret_undamaged  NULL: there is no choice. */
network *pools_find_auto(pool_set *self, bool is_asked, network **ret_undamaged);

/* The network that takes the place of one where time or memory is short: of the one from the program that takes pictures
 * in doubt, the one for a hurry in its pool; NULL: there is none. */
network *pools_find_hurry(const pool_set *self, const network *chosen);

/* The names of the networks that are served, separated by commas; as many as fit. */
void pools_write_names(const pool_set *self, char *text, size_t size);

size_t pools_waiting(const pool_set *self);
size_t pools_running(const pool_set *self);
bool pools_is_quiet(const pool_set *self);    /* no job waits or runs */
bool pools_is_hopeless(const pool_set *self); /* one of the pools is */
void pools_abandon(pool_set *self);
void pools_done(pool_set *self);
