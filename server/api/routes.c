/* SPDX-License-Identifier: Apache-2.0
 * api/routes.c - the table of paths and their handlers (stages 1 request and 9 respond). */
#include "api/routes.h"

/* For paths that take an image. */
#define UPLOAD \
    .on_body = upscale_on_body, .on_end = upscale_on_end, .on_gone = upscale_on_gone, .on_free = upscale_on_free

const http_route routes[] = {
    {"GET", "/", "/", .on_begin = page_on_begin, .access = HTTP_ACCESS_OPEN},
    {"POST", "/upscale", "/upscale", .on_begin = upscale_on_begin, UPLOAD},
    {"POST", "/v1/estimate", "/v1/estimate", .on_begin = estimate_on_begin, UPLOAD},
    {"POST", "/v1/jobs", "/v1/jobs", .on_begin = jobs_post_on_begin, UPLOAD},
    {"GET", "/v1/jobs", "/v1/jobs", .on_begin = jobs_on_begin},
    {"GET", "/v1/jobs/{id}", "/v1/jobs/{id}", .on_begin = job_on_begin, .access = HTTP_ACCESS_TOKEN},
    {"DELETE", "/v1/jobs/{id}", "/v1/jobs/{id}", .on_begin = job_delete_on_begin, .on_free = job_delete_on_free},
    {"GET", "/v1/jobs/{id}/result", "/v1/jobs/{id}/result", .on_begin = job_result_on_begin,
     .on_free = job_result_on_free, .access = HTTP_ACCESS_TOKEN},
    {"GET", "/v1/jobs/{id}/preview", "/v1/jobs/{id}/preview", .on_begin = job_preview_on_begin,
     .on_free = job_result_on_free, .access = HTTP_ACCESS_TOKEN},
    {"GET", "/v1/jobs/{id}/input", "/v1/jobs/{id}/input", .on_begin = job_input_on_begin, .on_free = job_result_on_free,
     .access = HTTP_ACCESS_TOKEN},
    {"GET", "/v1/jobs/{id}/events", "/v1/jobs/{id}/events", .on_begin = job_events_on_begin,
     .on_free = job_events_on_free, .access = HTTP_ACCESS_TOKEN},
    {"GET", "/healthz", "/healthz", .on_begin = health_on_begin, .access = HTTP_ACCESS_OPEN, .side = HTTP_SIDE_PROBES},
    {"GET", "/readyz", "/readyz", .on_begin = ready_on_begin, .access = HTTP_ACCESS_OPEN, .side = HTTP_SIDE_PROBES},
    {"GET", "/metrics", "/metrics", .on_begin = metrics_on_begin, .access = HTTP_ACCESS_OPEN,
     .side = HTTP_SIDE_METRICS},
    {"GET", "/v1/models", "/v1/models", .on_begin = models_on_begin, .access = HTTP_ACCESS_OPEN},
    {"OPTIONS", "/v1/uploads", "/v1/uploads", .on_begin = uploads_on_options, .is_overridable = true},
    {"POST", "/v1/uploads", "/v1/uploads", uploads_on_create, uploads_on_body, uploads_on_end, uploads_on_gone,
     uploads_on_free, .is_overridable = true},
    {"OPTIONS", "/v1/uploads/{id}", "/v1/uploads/{id}", .on_begin = uploads_on_options, .is_overridable = true},
    {"HEAD", "/v1/uploads/{id}", "/v1/uploads/{id}", .on_begin = uploads_on_head, .is_overridable = true},
    {"PATCH", "/v1/uploads/{id}", "/v1/uploads/{id}", uploads_on_patch, uploads_on_body, uploads_on_end,
     uploads_on_gone, uploads_on_free, .is_overridable = true},
    {"DELETE", "/v1/uploads/{id}", "/v1/uploads/{id}", .on_begin = uploads_on_delete, .is_overridable = true},
    {"GET", "/status", "/status", .on_begin = status_page_on_begin, .access = HTTP_ACCESS_OPEN,
     .side = HTTP_SIDE_PROBES},
    {"GET", "/v1/status", "/v1/status", .on_begin = status_on_begin, .access = HTTP_ACCESS_ADMIN,
     .side = HTTP_SIDE_PROBES},
    {"GET", "/assets/{id}", "/assets/{id}", .on_begin = asset_on_begin, .access = HTTP_ACCESS_OPEN,
     .side = HTTP_SIDE_PROBES},
    {"GET", "/openapi.json", "/openapi.json", .on_begin = openapi_on_begin, .access = HTTP_ACCESS_OPEN},
    {"GET", "/favicon.ico", "/favicon.ico", .on_begin = icon_on_begin, .access = HTTP_ACCESS_OPEN},
};
const size_t routes_count = sizeof routes / sizeof routes[0];

_Static_assert(sizeof routes / sizeof routes[0] <= LIMIT_ROUTES, "the metrics have room for every route");
