/* SPDX-License-Identifier: Apache-2.0
 * http/http.h - HTTP on the server's loop (stages 1 request and 9 respond): libmicrohttpd behind one small interface.
 * A route gets a request's header, body and end in turn. It answers in any of these calls, or later: a request that
 * its end leaves unanswered is held, its socket watched for a hang-up. Everything is called on the loop's thread. */
#ifndef SWIN2SR_SERVER_HTTP_H
#define SWIN2SR_SERVER_HTTP_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/limits.h"
#include "http/problem.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

typedef struct http_server http_server;
typedef struct http_request http_request;
typedef struct http_connection http_connection;

/* One path. Calls may be NULL; none of on_begin, on_body, on_end comes after the answer. */
typedef struct http_route {
    const char *path;
    bool is_post;                            /* takes POST; else GET and HEAD */
    void (*on_begin)(http_request *request); /* the header is there */
    void (*on_body)(http_request *request, const void *data, size_t size);
    void (*on_end)(http_request *request);  /* the body is whole */
    void (*on_gone)(http_request *request); /* the client left while the request was held; do not answer */
    void (*on_free)(http_request *request); /* last call, always */
} http_route;

struct http_request {
    void *app;                       /* of http_start */
    void *state;                     /* the route's own */
    char id[LIMIT_REQUEST_ID_BYTES]; /* the client's X-Request-Id where it is fit, else random */
    char trace[LIMIT_TRACE_BYTES];   /* the client's traceparent (W3C Trace Context), or "" */
    uint64_t body_bytes;             /* so far */

    /* http.c only */
    http_server *server;
    struct MHD_Connection *connection;
    http_connection *owner;
    const http_route *route;    /* NULL: no such path */
    const char *method;         /* one of a fixed few, for the log */
    uint64_t begun_us, sent_us; /* the header was there; the answer was ready, 0: not yet */
    uint64_t discarded_bytes;   /* of the body, after the answer was known */
    struct MHD_Response *answer;
    unsigned int code;
    bool is_held, has_hung_up, is_gone, is_closing, is_queued;
    bool is_last; /* its connection ends with the answer */
    bool is_cut;  /* too slow: the server closed the connection */
    loop_watch hang_up;
    http_request *previous, *next;
};

/* An open connection, for the limits on time. */
struct http_connection {
    int fd;
    size_t target_bytes;   /* of the request line that is being read (http/guard.h) */
    uint64_t waiting_us;   /* since then a request's header is awaited */
    http_request *request; /* being read, worked on or answered; NULL: none */
    http_connection *previous, *next;
};

struct http_server {
    struct MHD_Daemon *daemon;
    event_loop *loop; /* this and the next four: borrowed */
    server_log *log;
    server_metrics *metrics;
    const http_route *routes;
    void *app;
    size_t route_count;
    uint64_t body_bytes_max;
    int32_t connections_max, client_connections_max, idle_s, header_s, transfer_s; /* config.h */
    bool is_draining; /* every answer ends its connection */
    loop_watch sockets;
    loop_timer sweep;
    http_request *requests;       /* all that live */
    http_connection *connections; /* all that are open */
    size_t connection_count;
};

/* Serve on a listening socket, which is taken. false: the library would not start. The other fields of self are set. */
bool http_start(http_server *self, int listen_fd);
void http_stop(http_server *self);

/* How long the loop may wait (-1: as long as it likes), and what has to be done after each of its steps. */
int64_t http_wait_ms(http_server *self);
void http_step(http_server *self);

/* For routes: what the request says. NULL: not there. */
const char *http_request_header(const http_request *request, const char *name);

/* Visit the query's parameters; value is "" where there is none. Stops when visit returns false, and returns that. */
typedef bool (*http_visit)(void *context, const char *name, const char *value);
bool http_request_query(const http_request *request, http_visit visit, void *context);

/* For routes: the answer, exactly one; further header fields may be added until the call returns to http. */
void http_answer_text(http_request *request, unsigned int code, const char *type, char *text); /* taken; malloc */
void http_answer_json(http_request *request, unsigned int code, json_t *document);             /* taken */
void http_answer_file(http_request *request, unsigned int code, const char *type, int fd, uint64_t size); /* fd taken */
void http_answer_problem(http_request *request, const problem *what);
void http_answer_header(http_request *request, const char *name, const char *value);

#endif
