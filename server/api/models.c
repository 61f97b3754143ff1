/* SPDX-License-Identifier: Apache-2.0
 * api/models.c - GET /v1/models: what networks this service has (stage 9 of 9, respond).
 * In: what the workers said when they were ready.  Out: a list of one, or 503 before any was ready. */
#include "api/routes.h"
#include "server.h"

void models_on_begin(http_request *request) {
    const server *self = request->app;
    const ipc_ready *model = &self->pool.model;
    if (!self->pool.was_ever_ready) {
        problem what = problem_of(PROBLEM_STARTING, "no worker has loaded its network yet");
        what.retry_after_s = 1;
        http_answer_problem(request, &what);
        return;
    }
    http_answer_json(request, MHD_HTTP_OK,
                     json_pack("{s:[{s:s, s:i, s:s, s:I, s:s, s:s, s:b}]}", "models", "name", model->model, "scale",
                               (int)model->scale, "sha256", model->sha256, "parameters", (json_int_t)model->parameters,
                               "precision", model->precision, "kernels", model->kernels, "default", 1));
    http_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}
