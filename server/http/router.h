/* SPDX-License-Identifier: Apache-2.0
 * http/router.h - from a method and a path to its route (stage 1 of 9, request).
 * In: a table of routes.  Out: the route, or which methods the path takes. Pure; the table is small and searched in order. */
#ifndef SWIN2SR_SERVER_ROUTER_H
#define SWIN2SR_SERVER_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/limits.h"

typedef struct http_request http_request;

/* One method of one path. Calls may be NULL; none of on_begin, on_body, on_end comes after the answer. */
typedef struct http_route {
    const char *method; /* "GET" takes HEAD too */
    const char *path;   /* "/v1/jobs/{id}/events": one part in braces at most, which stands for any text but "" */
    const char *label;  /* in metrics and logs; routes of one path may share it */
    void (*on_begin)(http_request *request); /* the header has arrived */
    void (*on_body)(http_request *request, const void *data, size_t size);
    void (*on_end)(http_request *request);  /* the body is complete; NULL: the route takes no body */
    void (*on_gone)(http_request *request); /* the client left while the request was held; do not answer */
    void (*on_free)(http_request *request); /* the last call, always */
} http_route;

typedef struct http_match {
    const http_route *route;          /* NULL: no route takes this method on this path */
    char part[LIMIT_PATH_PART_BYTES]; /* the text that the part in braces stands for; "": the path has none */
    char allow[LIMIT_ALLOW_BYTES];    /* without a route: the methods the path takes, "GET, HEAD"; "": no such path */
} http_match;

http_match router_find(const http_route *routes, size_t count, const char *method, const char *path);

/* The place of a route's label among all labels: the index of the first route that has it. */
size_t router_label_index(const http_route *routes, const http_route *route);

#endif
