/* SPDX-License-Identifier: Apache-2.0
 * api/routes.c - every path the service answers, and by whom (stages 1 request and 9 respond). */
#include "api/routes.h"

const http_route routes[] = {
    {.path = "/", .on_begin = page_on_begin},
    {.path = "/upscale",
     .is_post = true,
     .on_begin = upscale_on_begin,
     .on_body = upscale_on_body,
     .on_end = upscale_on_end,
     .on_gone = upscale_on_gone,
     .on_free = upscale_on_free},
    {.path = "/healthz", .on_begin = health_on_begin},
    {.path = "/readyz", .on_begin = ready_on_begin},
    {.path = "/metrics", .on_begin = metrics_on_begin},
    {.path = "/v1/models", .on_begin = models_on_begin},
};
const size_t routes_count = sizeof routes / sizeof routes[0];

_Static_assert(sizeof routes / sizeof routes[0] <= LIMIT_ROUTES, "the metrics have a place for each route");
