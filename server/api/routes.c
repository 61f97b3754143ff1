/* SPDX-License-Identifier: Apache-2.0
 * api/routes.c - the table of paths and their handlers (stages 1 request and 9 respond). */
#include "api/routes.h"

const http_route routes[] = {
    {"GET", "/", "/", .on_begin = page_on_begin, .access = HTTP_ACCESS_OPEN},
    {"POST", "/upscale", "/upscale", upscale_on_begin, upscale_on_body, upscale_on_end, upscale_on_gone,
     upscale_on_free, .is_overridable = false},
    {"GET", "/healthz", "/healthz", .on_begin = health_on_begin, .access = HTTP_ACCESS_OPEN},
    {"GET", "/readyz", "/readyz", .on_begin = ready_on_begin, .access = HTTP_ACCESS_OPEN},
    {"GET", "/metrics", "/metrics", .on_begin = metrics_on_begin, .access = HTTP_ACCESS_OPEN},
    {"GET", "/v1/models", "/v1/models", .on_begin = models_on_begin, .access = HTTP_ACCESS_OPEN},
    {"OPTIONS", "/v1/uploads", "/v1/uploads", .on_begin = uploads_on_options, .is_overridable = true},
    {"POST", "/v1/uploads", "/v1/uploads", uploads_on_create, uploads_on_body, uploads_on_end, uploads_on_gone,
     uploads_on_free, .is_overridable = true},
    {"OPTIONS", "/v1/uploads/{id}", "/v1/uploads/{id}", .on_begin = uploads_on_options, .is_overridable = true},
    {"HEAD", "/v1/uploads/{id}", "/v1/uploads/{id}", .on_begin = uploads_on_head, .is_overridable = true},
    {"PATCH", "/v1/uploads/{id}", "/v1/uploads/{id}", uploads_on_patch, uploads_on_body, uploads_on_end,
     uploads_on_gone, uploads_on_free, .is_overridable = true},
    {"DELETE", "/v1/uploads/{id}", "/v1/uploads/{id}", .on_begin = uploads_on_delete, .is_overridable = true},
    {"GET", "/favicon.ico", "/favicon.ico", .on_begin = icon_on_begin, .access = HTTP_ACCESS_OPEN},
};
const size_t routes_count = sizeof routes / sizeof routes[0];

_Static_assert(sizeof routes / sizeof routes[0] <= LIMIT_ROUTES, "the metrics have room for every route");
