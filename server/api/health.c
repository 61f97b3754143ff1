/* SPDX-License-Identifier: Apache-2.0
 * api/health.c - GET /healthz and GET /readyz (stage 9 of 9, respond).
 * In: nothing.  Out: healthz 200 while the loop turns; readyz 200 when every network can take work, else 503 and what
 * fails. */
#include "api/routes.h"
#include "server.h"

static void answer_fresh(http_request *request, unsigned int code, json_t *document) {
    http_answer_json(request, code, document);
    http_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

void health_on_begin(http_request *request) {
    answer_fresh(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"));
}

void ready_on_begin(http_request *request) {
    const server *self = request->app;
    json_t *failed = json_array();
    if (self->is_draining)
        json_array_append_new(failed, json_string("draining"));
    for (int i = 0; i < self->pools.pool_count; i++) {
        const pool *each = &self->pools.pools[i];
        if (pool_is_ready(each))
            continue;
        json_array_append_new(failed, json_sprintf("workers:%s", pool_name(each)));
        if (each->is_self_test_failing)
            json_array_append_new(failed, json_sprintf("self_test:%s", pool_name(each)));
    }
    bool is_ready = json_array_size(failed) == 0;
    answer_fresh(request, is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                 json_pack("{s:s, s:o}", "status", is_ready ? "ready" : "unavailable", "failed", failed));
}
