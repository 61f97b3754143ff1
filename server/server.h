/* SPDX-License-Identifier: Apache-2.0
 * server.h - the server's parts and its life: start, serve, drain, end.
 * One process, one thread. Parts borrow each other through here; none is global. */
#ifndef SWIN2SR_SERVER_SERVER_H
#define SWIN2SR_SERVER_SERVER_H

#include "api/context.h"
#include "config/config.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "pool/pools.h"
#include "store/store.h"

typedef struct server {
    server_config config;
    server_log log;
    event_loop loop;
    server_metrics metrics;
    store store;
    pool_set pools;
    http_server *http;
    api_context context;
    loop_watch signals;
    loop_timer drain_limit;
    bool has_left_work; /* the drain's limit passed */
    bool is_stopping;   /* leave the loop now */
} server;

/* Run until a signal ends it. returns the exit code: 0 done, 1 cannot run or work was left unfinished. */
int server_run(server *self);

#endif
