/* SPDX-License-Identifier: Apache-2.0
 * http/router.h - from a method and a path to its route (stage 1 of 9, request).
 * In: a table of routes, searched in order.  Out: the route, or which methods the path takes. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/limits.h"

typedef struct http_request http_request;

/* Who may call a route where the service has API keys. */
typedef enum http_access {
    HTTP_ACCESS_KEY = 0, /* only requests with a key */
    HTTP_ACCESS_TOKEN,   /* also is_anonymous requests: the route checks a token itself */
    HTTP_ACCESS_OPEN,    /* everyone; a key is ignored */
    HTTP_ACCESS_ADMIN,   /* with keys: those of operators; without: clients of this machine and of --metrics-listen */
} http_access;

/* The group of a route, and what a listening socket serves: all routes, or those for clients, or those for metrics.
 * Routes for probes are served everywhere. */
typedef enum http_side {
    HTTP_SIDE_CLIENTS = 0,
    HTTP_SIDE_METRICS,
    HTTP_SIDE_PROBES, /* of routes only: all sockets serve it */
    HTTP_SIDE_ALL,    /* of sockets only */
} http_side;

/* One method of one path. Any callback may be NULL. on_begin, on_body and on_end are not called after the answer. */
typedef struct http_route {
    const char *method; /* "GET" takes HEAD too, unless an earlier route of the path is for HEAD */
    const char *path;   /* "/v1/jobs/{id}/events": at most one part in braces, which matches any text but "" */
    const char *label;  /* in metrics and logs; routes of one path may share it */
    void (*on_begin)(http_request *request); /* the header has arrived */
    void (*on_body)(http_request *request, const void *data, size_t size);
    void (*on_end)(http_request *request);  /* the body is complete; NULL: the body is ignored */
    void (*on_gone)(http_request *request); /* the client left while the request was held; the route must not answer */
    void (*on_free)(http_request *request); /* the last call, always */
    http_access access;
    http_side side;
    bool is_overridable; /* X-HTTP-Method-Override, where a request has it, stands for its method (tus 1.0.0) */
} http_route;

typedef struct http_match {
    const http_route *route;          /* NULL: no route takes this method on this path */
    char part[LIMIT_PATH_PART_BYTES]; /* the text matched by the part in braces; "": the route has none */
    char allow[LIMIT_ALLOW_BYTES];    /* if route is NULL: the methods the path takes, "GET, HEAD"; "": no such path */
} http_match;

/* side      What the socket of the connection serves.
 * override  The X-HTTP-Method-Override of the request, which counts for overridable routes only; NULL: it has none. */
http_match router_find(const http_route *routes, size_t count, http_side side, const char *method, const char *override,
                       const char *path);

/* The index of the first route with the label of this route. */
size_t router_label_index(const http_route *routes, const http_route *route);
