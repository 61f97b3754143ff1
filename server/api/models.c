/* SPDX-License-Identifier: Apache-2.0
 * api/models.c - GET /v1/models: what networks this service has (stage 9 of 9, respond).
 * In: the config, and what the workers said when they were ready.  Out: a list, or 503 before any was ready. */
#include "api/routes.h"
#include "server.h"

static json_t *facts_of(const ipc_ready *model) {
    return json_pack("{s:i, s:s, s:I, s:o, s:s, s:s}", "scale", (int)model->scale, "sha256", model->sha256,
                     "parameters", (json_int_t)model->parameters, "license",
                     model->license[0] ? json_string(model->license) : json_null(), "precision", model->precision,
                     "kernels", model->kernels);
}

static json_t *entry_of(const network *each, bool is_default) {
    json_t *entry =
        json_pack("{s:s, s:s?, s:b, s:b}", "name", each->served->name, "task", library_task_of(each->served->name),
                  "default", is_default, "ready", pool_is_ready(each->owner));
    if (each->owner->was_ever_ready)
        json_object_update_new(entry, facts_of(&each->facts));
    return entry;
}

void models_on_begin(http_request *request) {
    const pool_set *self = &((const server *)request->app)->pools;
    bool is_any_known = false;
    json_t *models = json_array();
    for (int i = 0; i < self->network_count; i++) {
        is_any_known |= self->networks[i].owner->was_ever_ready;
        json_array_append_new(models, entry_of(&self->networks[i], i == 0));
    }
    if (!is_any_known) {
        json_decref(models);
        problem what = problem_of(PROBLEM_STARTING, "no worker has loaded its network yet");
        what.retry_after_s = 1;
        http_answer_problem(request, &what);
        return;
    }
    http_answer_json(request, MHD_HTTP_OK, json_pack("{s:o}", "models", models));
    http_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}
