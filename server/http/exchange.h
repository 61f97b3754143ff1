/* SPDX-License-Identifier: Apache-2.0
 * http/exchange.h - what the files of http/ share: the server, its connections, and requests with their answers.
 * Only files of this folder include it, because it shows the HTTP library's types. */
#ifndef SWIN2SR_SERVER_EXCHANGE_H
#define SWIN2SR_SERVER_EXCHANGE_H

#include <microhttpd.h>

#include "http/http.h"

typedef struct http_exchange http_exchange;
typedef struct http_connection http_connection;

/* A request and its answer. Routes hold a pointer to its first field. */
struct http_exchange {
    http_request request;
    http_server *server;
    struct MHD_Connection *connection;
    http_connection *owner;
    const http_route *route;    /* NULL: there is none for it */
    const char *method;         /* one of a fixed few, for the log */
    int depth;                  /* slashes in the path */
    uint64_t begun_us, sent_us; /* the header had arrived; the answer was ready, 0: not yet */
    uint64_t discarded_bytes;   /* of the body, after the answer was known */
    struct MHD_Response *answer;
    unsigned int code;
    bool is_held, has_hung_up, is_gone, is_closing, is_queued;
    bool is_last; /* its connection ends with the answer */
    bool is_cut;  /* too slow: the server closed the connection */
    loop_watch hang_up;
    http_exchange *previous, *next;
};

/* An open connection, for the limits on time. */
struct http_connection {
    int fd;
    size_t target_bytes;     /* of the request line that is being read (http/guard.h) */
    uint64_t waiting_us;     /* since then a request's header is awaited */
    http_exchange *exchange; /* being read, worked on or answered; NULL: none */
    http_connection *previous, *next;
};

struct http_server {
    http_settings settings;
    struct MHD_Daemon *daemon;
    bool is_draining;
    loop_watch sockets;
    loop_timer sweep;
    http_exchange *exchanges;     /* all that live */
    http_connection *connections; /* all that are open */
    size_t connection_count;
};

static inline http_exchange *exchange_of(const http_request *request) {
    return (http_exchange *)request;
}

/* Set the id and the trace of a request from its header. */
void request_set_ids(http_exchange *self);

/* The method's name if it is one of those the log knows, else "other". */
const char *request_known_method(const char *method);

/* Answer with a problem that has no other fields than these. */
void answer_refuse(http_exchange *self, problem_kind kind, const char *detail);

/* Let a held request go on; the library then calls again and the answer is queued. */
void answer_release(http_exchange *self);

/* Queue the answer. MHD_NO: there is none, and the connection is closed. */
enum MHD_Result answer_send(http_exchange *self);

#endif
