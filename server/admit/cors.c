/* SPDX-License-Identifier: Apache-2.0
 * admit/cors.c - header fields for pages of other sites (stage 2 of 9, admit). */
#include "admit/cors.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define METHODS "GET, HEAD, POST, PATCH, DELETE"
#define REQUEST_FIELDS                                                                                                \
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Last-Event-ID, Prefer, Range, "           \
    "traceparent, "                                                                                                   \
    "Tus-Resumable, Upload-Checksum, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, X-API-Key, " \
    "X-HTTP-Method-Override, X-Request-Id, X-Requested-With"
#define ANSWER_FIELDS                                                                                               \
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Location, Preference-Applied, RateLimit, "            \
    "RateLimit-Policy, Retry-After, Server-Timing, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, "           \
    "Tus-Resumable, Tus-Version, Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset, WWW-Authenticate, " \
    "X-Request-Id, X-Swin2SR-Degraded, X-Swin2SR-Frames, X-Swin2SR-Model, X-Swin2SR-Notes, X-Swin2SR-Plan"

/* The Origin of the request, where the service may answer it; else NULL. */
static const char *origin_of(const char *origins, const http_request *request) {
    const char *origin = origins ? http_request_header(request, "Origin") : NULL;
    return origin && (origins_are_all(origins) || origins_have(origins, origin)) ? origin : NULL;
}

static bool is_preflight(const http_request *request) {
    return strcmp(request->method, "OPTIONS") == 0 && http_request_header(request, "Access-Control-Request-Method");
}

bool cors_answer_preflight(const char *origins, http_request *request) {
    if (!is_preflight(request) || !origin_of(origins, request))
        return false;
    http_answer_text(request, HTTP_NO_CONTENT, NULL, calloc(1, 1));
    http_answer_header(request, "Access-Control-Allow-Methods", METHODS);
    http_answer_header(request, "Access-Control-Allow-Headers", REQUEST_FIELDS);
    http_answer_header(request, "Access-Control-Max-Age", "7200");
    return true;
}

void cors_add(const char *origins, http_request *request) {
    const char *origin = origin_of(origins, request);
    if (origins && !origins_are_all(origins))
        http_answer_header(request, "Vary", "Origin");
    if (!origin)
        return;
    http_answer_header(request, "Access-Control-Allow-Origin", origins_are_all(origins) ? "*" : origin);
    if (!is_preflight(request))
        http_answer_header(request, "Access-Control-Expose-Headers", ANSWER_FIELDS);
}
