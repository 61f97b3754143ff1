/* SPDX-License-Identifier: Apache-2.0
 * http/exchange.h - what the files of http/ share: the server, its connections, and requests with their answers.
 * Shows the types of the HTTP library, so only files of this folder include it. */
#pragma once

#include <microhttpd.h>

#include "http/http.h"

typedef struct http_exchange http_exchange;
typedef struct http_connection http_connection;

/* A request and its answer. Routes see only the first field. */
struct http_exchange {
    http_request request;
    http_server *server;
    struct MHD_Connection *connection;
    http_connection *owner;
    const http_route *route;          /* NULL: no route takes this method and path */
    int depth;                        /* slashes in the path */
    uint64_t begun_us, sent_us;       /* when the header arrived; when the answer was queued, 0: not yet */
    uint64_t window_us, window_bytes; /* of http/sweep.c: when it last looked, and the bytes of the body then */
    uint64_t discarded_bytes;         /* of the body, received after the answer was decided */
    struct MHD_Response *answer;
    http_pause *pause; /* NULL: it waits for nothing before its route begins */
    http_pull pull;    /* of an answer that is a stream, else NULL */
    unsigned int code;
    bool is_held, has_hung_up, is_gone, is_closing, is_queued;
    bool is_past_gate;        /* on_leave of the gate is due */
    bool is_old;              /* HTTP/1.0 */
    bool is_parked;           /* a stream that has nothing to send now (http/stream.c) */
    bool is_last;             /* the connection closes after the answer */
    bool is_cut;              /* too slow: the server closed the connection */
    unsigned int direct_code; /* of answer_directly; 0: none */
    loop_watch hang_up;
};

/* An open connection, for the limits on time. */
struct http_connection {
    int fd;
    http_side side;          /* of the socket that it came to */
    size_t target_bytes;     /* of the request being read (guard_target_bytes) */
    size_t parameters;       /* in the query of that request */
    uint64_t waiting_us;     /* when the server began to wait for a request's header */
    http_exchange *exchange; /* the request being read, worked on or answered; NULL: none */
    http_connection *previous, *next;
};

/* A listening socket on the loop. */
typedef struct http_accept {
    http_server *server;
    http_side side;
    loop_watch watch;
} http_accept;

struct http_server {
    http_settings settings;
    struct MHD_Daemon *daemon;
    bool is_draining;
    loop_watch sockets;
    loop_timer sweep;
    http_connection *connections; /* all open ones */
    size_t connection_count, connections_max;

    /* of http/accept.c */
    const listener_set *listeners;
    http_accept accepts[LIMIT_LISTENERS]; /* one for each listener */
    const http_accept *arriving;          /* the socket of the connection that is being opened */
    loop_timer accept_timer;
    bool is_accepting;
    bool is_short; /* of descriptors or memory, which has been logged */
};

static inline http_exchange *exchange_of(const http_request *request) {
    return (http_exchange *)request;
}

/* Close the connections of slow clients, from now on. */
void sweep_start(http_server *self);

/* Accept connections.  false: the loop takes no watch. */
bool accept_start(http_server *self);
void accept_stop(http_server *self);

/* Try again to accept connections: there may be room for one more. */
void accept_resume(http_server *self);

/* Set the id and the trace of a request from its header fields, and the client from its connection. */
void request_set_ids(http_exchange *self);
void request_set_client(http_exchange *self);

/* The name of a common method, else "other". */
const char *request_known_method(const char *method);

/* Answer with a problem that has no numbers. */
void answer_refuse(http_exchange *self, problem_kind kind, const char *detail);

/* Resume a held request, for which the library then calls on_access again, or a parked stream. Otherwise do nothing. */
void hang_up_release(http_exchange *self);

/* Write a whole answer to the socket of a request that has none yet. The caller ends the connection. */
void answer_directly(http_exchange *self, const problem *what);

/* Watch the socket of a request while its body arrives, and while it is held.  false: the system refused. */
void hang_up_watch_body(http_exchange *self);
bool hang_up_watch_held(http_exchange *self);

/* Let a stream that has nothing to send wait for hang_up_release.  false: the system refused. */
bool hang_up_park(http_exchange *self);

/* If the last bytes and the end of the client's side arrive in one event, the library handles only the bytes. Shutting
 * down the receiving side, which is closed already, makes it look at the socket once more. */
void hang_up_wake(const http_exchange *self);

/* The same after an answer, for requests whose sockets were not watched. */
void hang_up_after_answer(const http_connection *self);

/* The client of a held request has left: tell the route, and let the library close the connection. */
void hang_up_leave(http_exchange *self);

/* The response of a stream, for `answer`. */
struct MHD_Response *stream_response(http_exchange *self, http_pull pull);

/* Queue the answer. MHD_NO: there is none, and the library closes the connection. */
enum MHD_Result answer_send(http_exchange *self);
