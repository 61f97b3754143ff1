/* SPDX-License-Identifier: Apache-2.0
 * http/http.h - HTTP on the server's event loop (stages 1 request and 9 respond).
 * A route is called with a request's header, then its body, then its end. It answers in any of these calls or later: a
 * request without an answer at its end is held, and its socket is watched for a client that leaves.
 * All functions are called on the loop's thread. The HTTP and JSON libraries are not visible outside this folder. */
#pragma once

#include "http/listen.h"
#include "http/problem.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

enum {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_ACCEPTED = 202,
    HTTP_NO_CONTENT = 204,
    HTTP_PARTIAL = 206,
    HTTP_NOT_MODIFIED = 304,
    HTTP_RANGE_OUTSIDE = 416,
    HTTP_UNAVAILABLE = 503,
};

typedef struct http_server http_server;

/* How many of its requests per minute a client has left. */
typedef struct http_quota {
    const char *policy; /* one word: what is limited */
    int32_t per_minute; /* 0: there is no limit */
    int32_t remaining;
    uint32_t reset_s; /* until all are available again */
} http_quota;

/* What a route sees of a request. */
struct http_request {
    void *app;                        /* of http_settings */
    const char *method;               /* a common one, else "other" */
    void *state;                      /* the route's own */
    char id[LIMIT_REQUEST_ID_BYTES];  /* the client's X-Request-Id if it is acceptable, else random */
    char trace[LIMIT_TRACE_BYTES];    /* the client's traceparent (W3C Trace Context), or "" */
    char part[LIMIT_PATH_PART_BYTES]; /* of the path: http_match */
    char client[LIMIT_ADDRESS_BYTES]; /* address of the client, as trusted proxies report it; "": a local socket */
    char owner[LIMIT_OWNER_BYTES];    /* id of the API key it came with; "": the service has no keys, or is_anonymous */
    bool is_inner;                    /* it came to a socket of --metrics-listen */
    bool is_anonymous;                /* the service has keys, and the request came without: HTTP_ACCESS_TOKEN only */
    http_quota quota;                 /* set by the gate, as has_place */
    bool was_paused;                  /* http_pause_begin was called */
    bool has_place;                   /* among the requests of its key that run at a time */
    uint64_t body_bytes;              /* received so far */
};

/* What sees every request before its route, and every answer before it is sent. NULL: not called. */
typedef struct http_gate {
    /* route: NULL where there is none for it. false: the request is answered, and its route is not called. */
    bool (*on_request)(void *context, http_request *request, const http_route *route);
    void (*on_answer)(void *context, http_request *request); /* may add header fields */
    void (*on_leave)(void *context, http_request *request);  /* the request has ended, after on_request */
    void *context;
} http_gate;

/* All pointers are borrowed until http_stop. */
typedef struct http_settings {
    event_loop *loop;
    server_log *log;
    server_metrics *metrics;
    const server_config *config; /* limits on connections, bodies and time */
    const http_route *routes;
    size_t route_count;
    http_gate gate;
    void *app;
} http_settings;

/* Serve on listening sockets, which are borrowed until http_stop.  NULL, with errno set: the library did not start. */
http_server *http_start(const http_settings *settings, const listener_set *listeners);
void http_stop(http_server *self);

/* How long the loop may wait (-1: no limit), and the work to do after each step of the loop. */
int64_t http_wait_ms(http_server *self);
void http_step(http_server *self);

void http_drain(http_server *self);          /* from now on every answer closes its connection */
bool http_is_quiet(const http_server *self); /* no request is being read, worked on or answered */
size_t http_connection_count(const http_server *self);
size_t http_connection_limit(const http_server *self);

/* For routes: true: what this owner has made belongs to the client. Without keys, everything belongs to everyone. */
bool http_request_owns(const http_request *request, const char *owner);

/* For routes: the value of a header field; NULL: the request has no such field. */
const char *http_request_header(const http_request *request, const char *name);

/* true: every header field of this name lists only this word, in any case, or there is no such field. */
bool http_request_has_only(const http_request *request, const char *name, const char *word);

/* The values of all header fields of this name, in order, joined by commas. Of what is too long for size, the beginning
 * is left out, up to a comma. */
void http_request_list(const http_request *request, const char *name, char *ret_text, size_t size);

/* Call visit for each parameter of the query, value "" where it has none. Stops when visit returns false; returns false
 * then. */
typedef bool (*http_visit)(void *context, const char *name, const char *value);
bool http_request_query(const http_request *request, http_visit visit, void *context);

/* For routes: close the connection of a request that is not held, as if its client had left. More of its body may still
 * come, and on_free follows. */
void http_cut(http_request *request);

/* For on_begin: be called again by http_pause_end, with was_paused. Until then the request is held.
 * request  NULL: it has ended, and http_pause_end does nothing. */
typedef struct http_pause {
    http_request *request;
} http_pause;
void http_pause_begin(http_request *request, http_pause *pause);
void http_pause_end(http_pause *pause);

/* For routes: memory for request->state, all zero, which on_free frees.  NULL: there is none, and the request is answered. */
void *http_request_state(http_request *request, size_t size);

/* For routes: exactly one answer per request. Header fields may be added until the route returns. */
void http_answer_text(http_request *request, unsigned int code, const char *type, char *text); /* text: malloc, taken */
void http_answer_file(http_request *request, unsigned int code, const char *type, int fd, uint64_t size); /* fd taken */
void http_answer_empty(http_request *request, unsigned int code);
void http_answer_problem(http_request *request, const problem *what);
void http_answer_header(http_request *request, const char *name, const char *value);

/* Answer with what the client may have already (If-None-Match), and its entity tag, in quotes.
 * text   malloc, taken.
 * bytes  Are never freed. */
void http_answer_tagged(http_request *request, const char *type, char *text, const char *tag);
void http_answer_constant(http_request *request, const char *type, const char *bytes, size_t size, const char *tag);

/* Answer with a file that the client may ask for in part (Range, If-Range) or have already (If-None-Match).
 * fd   Taken.
 * tag  Its entity tag, in quotes. It changes when the file does. */
void http_answer_ranged(http_request *request, const char *type, int fd, uint64_t size, const char *tag);

/* Answer with a stream. `pull` writes what there is to send now.
 * returns of pull  How many bytes it wrote; 0: nothing now, and it is called again after http_stream_wake; below 0: the
 *                  stream ends. The stream ends too when the server drains. */
typedef ssize_t (*http_pull)(http_request *request, char *buffer, size_t size);
void http_answer_stream(http_request *request, unsigned int code, const char *type, http_pull pull);
void http_stream_wake(http_request *request);

/* A JSON array or object; NULL if there was no memory, which all functions accept, and which becomes the answer 503. Formats and values are those of
 * jansson's json_pack, "{s:s, s:i}"; "o" takes an http_json, "o*" leaves a NULL out. */
typedef struct http_json http_json;
http_json *http_json_array(void);
http_json *http_json_object(const char *format, ...);
http_json *http_json_problem(const problem *what, const char *request_id);
void http_json_add(http_json **array, const char *format, ...); /* one element; without memory, *array becomes NULL */
char *http_json_text(http_json *value);                         /* value is taken; the caller frees the text */
void http_json_free(http_json *value);

/* Answer with JSON, of a format or a value that is taken. */
void http_answer_json(http_request *request, unsigned int code, const char *format, ...);
void http_answer_value(http_request *request, unsigned int code, http_json *value);
