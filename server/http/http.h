/* SPDX-License-Identifier: Apache-2.0
 * http/http.h - HTTP on the server's event loop (stages 1 request and 9 respond).
 * A route gets a request's header, body and end in turn. It answers in any of these calls, or later: a request that
 * has no answer after its end is held, and its socket is watched for a hang-up.
 * Everything is called on the loop's thread. The HTTP and JSON libraries are not visible outside this folder. */
#ifndef SWIN2SR_SERVER_HTTP_H
#define SWIN2SR_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "http/problem.h"
#include "http/router.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

enum {
    HTTP_OK = 200,
    HTTP_NO_CONTENT = 204,
    HTTP_UNAVAILABLE = 503,
};

typedef struct http_server http_server;

/* What a route sees of a request. */
struct http_request {
    void *app;                        /* of http_settings */
    void *state;                      /* the route's own */
    char id[LIMIT_REQUEST_ID_BYTES];  /* the client's X-Request-Id if it is acceptable, else random */
    char trace[LIMIT_TRACE_BYTES];    /* the client's traceparent (W3C Trace Context), or "" */
    char part[LIMIT_PATH_PART_BYTES]; /* of the path: http_match */
    uint64_t body_bytes;              /* received so far */
};

/* All borrowed for the server's life. */
typedef struct http_settings {
    event_loop *loop;
    server_log *log;
    server_metrics *metrics;
    const server_config *config; /* limits on connections, bodies and time */
    const http_route *routes;
    size_t route_count;
    void *app;
} http_settings;

/* Serve on a listening socket, which is taken. NULL with errno set: the library would not start. */
http_server *http_start(const http_settings *settings, int listen_fd);
void http_stop(http_server *self);

/* How long the loop may wait (-1: without limit), and what has to be done after each of its steps. */
int64_t http_wait_ms(http_server *self);
void http_step(http_server *self);

void http_drain(http_server *self);          /* from now on every answer ends its connection */
bool http_is_quiet(const http_server *self); /* no request is being read, worked on or answered */
size_t http_connection_count(const http_server *self);

/* For routes: what the request says. NULL: not there. */
const char *http_request_header(const http_request *request, const char *name);

/* Do all header fields of this name list nothing but this word? In any case of letters; true where there is none. */
bool http_request_has_only(const http_request *request, const char *name, const char *word);

/* Visit the query's parameters; value is "" where there is none. Stops when visit returns false, and returns that. */
typedef bool (*http_visit)(void *context, const char *name, const char *value);
bool http_request_query(const http_request *request, http_visit visit, void *context);

/* For routes: the answer, exactly one; further header fields may be added until the call returns to http. */
void http_answer_text(http_request *request, unsigned int code, const char *type, char *text); /* taken; malloc */
void http_answer_file(http_request *request, unsigned int code, const char *type, int fd, uint64_t size); /* fd taken */
void http_answer_problem(http_request *request, const problem *what);
void http_answer_header(http_request *request, const char *name, const char *value);

/* A JSON array that is being built; NULL without memory, which every call here accepts. */
typedef struct http_list http_list;
http_list *http_list_new(void);
void http_list_add(http_list *list, const char *format, ...); /* one element, of a format as below */
void http_list_free(http_list *list);

/* Answer with JSON: format and values are those of jansson's json_pack, such as "{s:s, s:i}"; "o" takes an http_list and
 * ends its life. */
void http_answer_json(http_request *request, unsigned int code, const char *format, ...);

#endif
