/* SPDX-License-Identifier: Apache-2.0
 * api/health.c - GET /healthz and GET /readyz (stage 9 of 9, respond).
 * Out: /healthz 200 while the event loop runs; /readyz 200 when every network can take work, else 503 and the failed
 * checks. */
#include "api/context.h"
#include "api/routes.h"

void health_on_begin(http_request *request) {
    http_answer_json(request, HTTP_OK, "{s:s}", "status", "ok");
    http_answer_header(request, "Cache-Control", "no-store");
}

/* Can uploads and jobs be written?  failed: gets the names of what cannot; NULL: nobody asks. */
static bool check_disks(const api_context *service, http_json **failed) {
    const struct {
        const char *name;
        bool has_failed;
    } checks[] = {
        {"spool", !store_is_working(service->uploads)},
        {"disk:spool", !disk_space_has(&service->uploads->disk, 0)},
        {"disk:data", !disk_space_has(&service->data->disk, 0)},
    };
    bool is_good = true;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        is_good &= !checks[i].has_failed;
        if (checks[i].has_failed && failed)
            http_json_add(failed, "s", checks[i].name);
    }
    return is_good;
}

bool health_can_write(const api_context *service) {
    return check_disks(service, NULL);
}

static bool is_refusing(const api_context *service, const pool *each) {
    return degrade_of(service->levels, each)->level >= DEGRADE_REFUSE;
}

bool health_is_ready(const api_context *service) {
    bool is_ready = health_can_write(service) && !service->is_leaving;
    for (const pool *each = service->pools->pools; each < service->pools->pools + service->pools->pool_count; each++)
        is_ready &= pool_is_ready(each) && !is_refusing(service, each);
    return is_ready;
}

/* Name what keeps these workers from taking work. */
static void check_pool(const api_context *service, const pool *each, http_json **failed) {
    if (is_refusing(service, each))
        http_json_add(failed, "s+", "refuse:", pool_name(each));
    if (pool_is_ready(each))
        return;
    http_json_add(failed, "s+", "workers:", pool_name(each));
    if (each->is_self_test_failing)
        http_json_add(failed, "s+", "self_test:", pool_name(each));
}

/* The GPUs of these workers; NULL: the CPU was chosen. */
static http_json *devices_of(const pool *each) {
    http_json *devices = http_json_array();
    if (each->devices->count == 0) {
        http_json_free(devices);
        return NULL;
    }
    for (const worker *w = each->workers; w < each->workers + each->devices->count; w++) {
        const worker_device *device = &w->device;
        const char *state = device->is_aside ? "set aside" : w->state >= WORKER_IDLE ? "ready" : "starting";
        http_json_add(&devices, "{s:s, s:s*, s:s*, s:s, s:s*}", "device", device->name, "name",
                      device->title[0] ? device->title : NULL, "driver", device->driver[0] ? device->driver : NULL,
                      "state", state, "detail", device->fault[0] ? device->fault : NULL);
    }
    return devices;
}

/* The sandbox is described by the worker that was ready last. */
static void add_detail(const api_context *service, const pool *each, http_json **details) {
    const degrade_state *level = degrade_of(service->levels, each);
    const char *fault = pool_is_ready(each) || !each->fault[0] ? NULL : each->fault;
    http_json_add(details, "{s:s, s:s, s:s*, s:s*, s:s*, s:o*}", "model", pool_name(each), "level",
                  degrade_level_name(level->level), "reason", level->level ? degrade_reason_name(level->reason) : NULL,
                  "sandbox", each->was_ever_ready ? each->networks[0]->facts.sandbox : NULL, "detail", fault, "devices",
                  devices_of(each));
}

void ready_on_begin(http_request *request) {
    const api_context *service = request->app;
    http_json *failed = http_json_array(), *details = http_json_array();
    if (service->is_leaving)
        http_json_add(&failed, "s", "draining");
    bool is_ready = health_is_ready(service);
    check_disks(service, &failed);
    for (int i = 0; i < service->pools->pool_count; i++) {
        const pool *each = &service->pools->pools[i];
        check_pool(service, each, &failed);
        add_detail(service, each, &details);
    }
    http_answer_json(request, is_ready ? HTTP_OK : HTTP_UNAVAILABLE, "{s:s, s:o, s:o}", "status",
                     is_ready ? "ready" : "unavailable", "failed", failed, "details", details);
    http_answer_header(request, "Cache-Control", "no-store");
}
