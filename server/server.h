/* SPDX-License-Identifier: Apache-2.0
 * server.h - the server's parts and its life: start, serve, drain, end.
 * One process, one thread, no globals. */
#pragma once

#include "admit/degrade.h"
#include "admit/gate.h"
#include "api/context.h"
#include "pool/memory.h"

typedef struct server {
    server_config config;
    server_log log;
    event_loop loop;
    server_metrics metrics;
    listener_set listeners;
    store store;
    data_folder data;     /* not open without --data */
    partial_set partials; /* resumable uploads; opened with --data */
    io_thread io;         /* started with --data */
    pool_set pools;
    memory_guard memory;
    degrade_set levels;
    loop_timer sampling;
    object_store *shared; /* with --cluster; otherwise NULL */
    backlog backlog;      /* with --data */
    event_hub events;
    gate gate;
    http_server *http;
    api_context context;
    loop_watch signals;
    loop_timer drain_timer;
    int end_signal;     /* that began the end */
    bool has_left_work; /* the drain timed out */
    bool is_stopping;   /* leave the event loop now */
} server;

/* Run until a signal.  returns the exit code: 0: all work was finished; 1: could not start, or left work unfinished. */
int server_run(server *self);
