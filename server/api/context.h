/* SPDX-License-Identifier: Apache-2.0
 * api/context.h - what handlers may use (http_request.app). All pointers are borrowed from the server. */
#pragma once

#include "admit/degrade.h"
#include "api/events.h"
#include "backlog/backlog.h"
#include "http/http.h"
#include "pool/memory.h"
#include "store/partial.h"

typedef struct api_context {
    const server_config *config;
    server_log *log;
    const server_metrics *metrics;
    const http_server *http;
    const http_route *routes;
    size_t route_count;
    store *uploads;
    const data_folder *data; /* not open without --data */
    partial_set *partials;   /* folder 0 without --data */
    io_thread *io;
    pool_set *pools;
    const memory_guard *memory;
    const degrade_set *levels;
    event_loop *loop;
    backlog *backlog; /* NULL without --data */
    event_hub *events;
    uint64_t begun_us;     /* when the server started */
    int64_t begun_epoch_s; /* the same, seconds since 1970 */
    bool is_leaving;       /* shutting down: /readyz says so */
    bool is_draining;      /* shutting down: no new work is accepted */
} api_context;

/* Can uploads and jobs be written? (api/health.c) */
bool health_can_write(const api_context *service);

/* What /readyz answers: can every network take work, and does the server stay? (api/health.c) */
bool health_is_ready(const api_context *service);
