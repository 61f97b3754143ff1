/* SPDX-License-Identifier: Apache-2.0
 * api/models.c - GET /v1/models: the networks of this service (stage 9 of 9, respond).
 * In: the config, and what workers reported when ready.  Out: a list, or 503 before the first worker is ready. */
#include "api/context.h"
#include "api/routes.h"

/* The sentence on a network inside the program; NULL: it is a file. */
static const char *summary_of(const served_model *served) {
    const swin2sr__built_in *found =
        served->path[0] ? NULL : swin2sr__built_in_get(swin2sr__built_in_find(served->name));
    return found ? found->summary : NULL;
}

static void add_network(http_json **models, const network *each, bool is_default, bool is_auto) {
    const char *name = each->served->name, *task = library_task_of(name), *summary = summary_of(each->served);
    const ipc_ready *facts = &each->facts;
    bool is_ready = pool_is_ready(each->owner);
    if (each->owner->was_ever_ready)
        http_json_add(models, "{s:s, s:s?, s:s?, s:b, s:b, s:b, s:i, s:s, s:I, s:s?, s:s, s:s, s:s, s:s?, s:s?}",
                      "name", name, "summary", summary, "task", task, "default", is_default, "auto", is_auto, "ready",
                      is_ready, "scale", (int)facts->scale, "sha256", facts->sha256, "parameters",
                      (long long)facts->parameters, "license", facts->license[0] ? facts->license : NULL, "precision",
                      facts->precision, "kernels", facts->kernels, "sandbox", facts->sandbox, "device",
                      facts->device[0] ? facts->device : NULL, "driver", facts->driver[0] ? facts->driver : NULL);
    else
        http_json_add(models, "{s:s, s:s?, s:s?, s:b, s:b, s:b}", "name", name, "summary", summary, "task", task,
                      "default", is_default, "auto", is_auto, "ready", is_ready);
}

void models_on_begin(http_request *request) {
    pool_set *pools = ((const api_context *)request->app)->pools;
    network *undamaged, *doubt = pools_find_auto(pools, true, &undamaged);
    bool is_any_known = false;
    http_json *models = http_json_array();
    for (int i = 0; i < pools->network_count; i++) {
        is_any_known |= pools->networks[i].owner->was_ever_ready;
        network *each = &pools->networks[i];
        add_network(&models, each, i == 0, undamaged && (each == doubt || each == undamaged));
    }
    if (!is_any_known) {
        http_json_free(models);
        problem what = problem_of(PROBLEM_STARTING, "no worker has loaded its network yet");
        what.retry_after_s = 1;
        http_answer_problem(request, &what);
        return;
    }
    http_answer_json(request, HTTP_OK, "{s:o}", "models", models);
    http_answer_header(request, "Cache-Control", "no-store");
}
