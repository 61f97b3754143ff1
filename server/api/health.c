/* SPDX-License-Identifier: Apache-2.0
 * api/health.c - GET /healthz and GET /readyz (stage 9 of 9, respond).
 * In: nothing.  Out: healthz 200 while the loop turns; readyz 200 when work can be taken, else 503 and what fails. */
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
    bool has_worker = pool_is_ready(&self->pool);
    json_t *failed = json_array();
    if (self->is_draining)
        json_array_append_new(failed, json_string("draining"));
    if (!has_worker)
        json_array_append_new(failed, json_string("workers"));
    if (!has_worker && self->pool.is_self_test_failing)
        json_array_append_new(failed, json_string("self_test"));
    bool is_ready = has_worker && !self->is_draining;
    answer_fresh(request, is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                 json_pack("{s:s, s:o}", "status", is_ready ? "ready" : "unavailable", "failed", failed));
}
