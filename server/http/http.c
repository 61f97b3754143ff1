/* SPDX-License-Identifier: Apache-2.0
 * http/http.c - requests in, answers out, on the server's own loop (stages 1 request and 9 respond).
 * In: sockets.  Out: calls to routes; their answers on the wire; one log line and the metrics for each request.
 * The library runs without threads: its epoll descriptor is one watch of the loop. A refused request's body is read
 * on and thrown away within a bound, because closing on unread bytes would destroy the answer on its way.
 * Limits on time: the library closes what is silent; a sweep once a second closes what is slow. */
#include "http/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/guard.h"

/* ---- what a request says ---- */

const char *http_request_header(const http_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

typedef struct query_walk {
    http_visit visit;
    void *context;
    bool has_stopped;
} query_walk;

static enum MHD_Result on_query(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    query_walk *walk = context;
    walk->has_stopped = !walk->visit(walk->context, name, value ? value : "");
    return walk->has_stopped ? MHD_NO : MHD_YES;
}

bool http_request_query(const http_request *request, http_visit visit, void *context) {
    query_walk walk = {visit, context, false};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, on_query, &walk);
    return !walk.has_stopped;
}

static bool is_fit_id(const char *text) {
    size_t length = text ? strlen(text) : 0;
    return length > 0 && length < LIMIT_REQUEST_ID_BYTES &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

static void set_id(http_request *request) {
    const char *given = http_request_header(request, "X-Request-Id");
    if (is_fit_id(given)) {
        strcpy(request->id, given);
        return;
    }
    uint64_t random[2] = {0};
    if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random[0] = swin2sr__clock_us();
    snprintf(request->id, sizeof request->id, "%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
}

static bool is_hex(const char *text, size_t size) {
    return strspn(text, "0123456789abcdef") == size;
}

/* version "-" trace-id "-" parent-id "-" flags; a version after 00 may go on. What is malformed is as if not there. */
static bool is_fit_trace(const char *text) {
    if (!text || !is_hex(text, 2) || text[2] != '-' || !is_hex(text + 3, 32) || text[35] != '-' ||
        !is_hex(text + 36, 16) || text[52] != '-' || !is_hex(text + 53, 2))
        return false;
    bool is_empty = strspn(text + 3, "0") == 32 || strspn(text + 36, "0") == 16;
    bool is_long = text[55] != '\0';
    return !is_empty && strncmp(text, "ff", 2) != 0 && (!is_long || (text[55] == '-' && strncmp(text, "00", 2) != 0));
}

static void set_trace(http_request *request) {
    const char *given = http_request_header(request, "traceparent");
    if (is_fit_trace(given))
        snprintf(request->trace, sizeof request->trace, "%s", given);
}

/* The method for the log: only names we know get there. */
static const char *known_method(const char *method) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(method, known[i]) == 0)
            return known[i];
    return "other";
}

/* ---- answers ---- */

/* Let a held request go on; the library then calls again and the answer is queued. */
static void release(http_request *request) {
    if (!request->is_held)
        return;
    loop_watch_remove(request->server->loop, &request->hang_up);
    request->is_held = false;
    MHD_resume_connection(request->connection);
}

static void answer(http_request *request, unsigned int code, const char *type, struct MHD_Response *response) {
    request->answer = response; /* NULL without memory: the connection is then closed */
    request->code = code;
    request->is_closing |= !response;
    if (response)
        http_answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    release(request);
}

void http_answer_text(http_request *request, unsigned int code, const char *type, char *text) {
    size_t size = text ? strlen(text) : 0;
    answer(request, code, type, text ? MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE) : NULL);
}

void http_answer_json(http_request *request, unsigned int code, json_t *document) {
    http_answer_text(request, code, "application/json", document ? json_dumps(document, JSON_COMPACT) : NULL);
    json_decref(document);
}

void http_answer_file(http_request *request, unsigned int code, const char *type, int fd, uint64_t size) {
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    if (!response)
        close(fd);
    answer(request, code, type, response);
}

void http_answer_problem(http_request *request, const problem *what) {
    const char *accept = http_request_header(request, "Accept");
    bool is_page = accept && strstr(accept, "text/html");
    char *text = is_page ? problem_to_html(what, request->id) : problem_to_json(what, request->id);
    http_answer_text(request, (unsigned int)problem_code(what),
                     is_page ? "text/html; charset=utf-8" : "application/problem+json", text);
    http_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (what->retry_after_s > 0) {
        char seconds[12];
        snprintf(seconds, sizeof seconds, "%u", (unsigned int)what->retry_after_s);
        http_answer_header(request, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
}

void http_answer_header(http_request *request, const char *name, const char *value) {
    if (request->answer)
        MHD_add_response_header(request->answer, name, value);
}

static void refuse(http_request *request, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    http_answer_problem(request, &what);
}

static enum MHD_Result send_answer(http_request *request) {
    if (!request->answer)
        return MHD_NO;
    http_answer_header(request, "X-Request-Id", request->id);
    http_answer_header(request, "X-Content-Type-Options", "nosniff");
    if (request->is_closing || request->is_last || request->server->is_draining)
        http_answer_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
    request->sent_us = swin2sr__clock_us();
    request->is_queued = true;
    return MHD_queue_response(request->connection, request->code, request->answer);
}

/* ---- the life of a request ---- */

static size_t route_index(const http_request *request) {
    const http_server *server = request->server;
    return request->route ? (size_t)(request->route - server->routes) : server->route_count;
}

static const http_route *find_route(const http_server *self, const char *path) {
    for (size_t i = 0; i < self->route_count; i++)
        if (strcmp(self->routes[i].path, path) == 0)
            return &self->routes[i];
    return NULL;
}

static bool takes_method(const http_route *route, const char *method) {
    if (route->is_post)
        return strcmp(method, "POST") == 0;
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void refuse_body_size(http_request *request, uint64_t actual) {
    problem what = problem_of(PROBLEM_BODY_TOO_LARGE, "the body has more bytes than this service takes");
    what.limit = request->server->body_bytes_max;
    what.actual = actual;
    http_answer_problem(request, &what);
}

/* The announced length of the body; 0 where there is none. The library has checked that it is a number. */
static uint64_t announced_bytes(const http_request *request) {
    const char *text = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text ? strtoull(text, NULL, 10) : 0;
}

/* The library can take the last bytes and the client's end in one event, and look at the bytes only. Closing the side
 * that is closed already changes nothing but wakes it up once more. */
static void wake_for_end(const http_request *request) {
    if (request->has_hung_up)
        shutdown(request->hang_up.fd, SHUT_RD);
}

/* The client has closed its side. While it waits for its answer, that means it has left. */
static void on_hang_up(void *context, uint32_t events) {
    http_request *request = context;
    request->has_hung_up = true;
    if (!request->is_held) {
        wake_for_end(request);
        return;
    }
    request->is_gone = true;
    if (request->route->on_gone)
        request->route->on_gone(request);
    release(request);
}

/* NULL: the connection was opened without memory for it. */
static http_connection *connection_of(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static http_request *open_request(http_server *self, struct MHD_Connection *connection, const guard_line *line) {
    http_connection *owner = connection_of(connection);
    http_request *request = owner ? calloc(1, sizeof *request) : NULL;
    if (!request)
        return NULL;
    request->server = self;
    request->app = self->app;
    request->connection = connection;
    request->owner = owner;
    owner->request = request;
    request->begun_us = swin2sr__clock_us();
    request->route = find_route(self, line->target);
    request->method = known_method(line->method);
    request->hang_up = (loop_watch){.fd = owner->fd, .on_ready = on_hang_up, .context = request};
    set_id(request);
    set_trace(request);
    request->next = self->requests;
    if (self->requests)
        self->requests->previous = request;
    self->requests = request;
    return request;
}

/* The header is there: refuse what can be refused by it. A body that would be refused anyway is not asked for. */
static enum MHD_Result begin(http_request *request, const guard_line *line) {
    const http_route *route = request->route;
    uint64_t announced = announced_bytes(request);
    const char *fault = guard_check(request->connection, line);
    /* The library is lax about where a chunk ends: whatever it takes for the next request is not served. */
    request->is_last = http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    if (fault) {
        request->is_closing = true;
        refuse(request, PROBLEM_MALFORMED, fault);
        return send_answer(request);
    }
    if (!route) {
        refuse(request, PROBLEM_NOT_FOUND, "no such path");
    } else if (!takes_method(route, line->method)) {
        refuse(request, PROBLEM_METHOD, route->is_post ? "use POST" : "use GET or HEAD");
        http_answer_header(request, MHD_HTTP_HEADER_ALLOW, route->is_post ? "POST" : "GET, HEAD");
    } else if (announced > request->server->body_bytes_max) {
        refuse_body_size(request, announced);
    } else {
        if (route->is_post)
            loop_watch_add(request->server->loop, &request->hang_up, EPOLLRDHUP | EPOLLONESHOT);
        if (route->on_begin)
            route->on_begin(request);
    }
    bool is_waiting = http_request_header(request, MHD_HTTP_HEADER_EXPECT) != NULL;
    if (request->answer && (is_waiting || announced > LIMIT_DISCARD_BYTES)) {
        request->is_closing = true;
        return send_answer(request);
    }
    return MHD_YES;
}

static enum MHD_Result take_body(http_request *request, const char *data, size_t size) {
    wake_for_end(request);
    request->body_bytes += size;
    request->server->metrics->upload_bytes += size;
    if (request->answer || request->is_closing) {
        request->discarded_bytes += size;
        return request->discarded_bytes > LIMIT_DISCARD_BYTES ? MHD_NO : MHD_YES;
    }
    if (request->body_bytes > request->server->body_bytes_max)
        refuse_body_size(request, request->body_bytes);
    else if (request->route->on_body)
        request->route->on_body(request, data, size);
    return MHD_YES;
}

static enum MHD_Result end(http_request *request) {
    if (!request->answer && !request->is_closing && request->route->on_end)
        request->route->on_end(request);
    if (request->answer || request->is_closing)
        return send_answer(request);
    loop_watch_remove(request->server->loop, &request->hang_up);
    if (!loop_watch_add(request->server->loop, &request->hang_up, EPOLLRDHUP))
        return MHD_NO;
    request->is_held = true;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

/* Called by the library: once with the header, with each piece of the body, at its end, and after a resume. */
static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                                 const char *version, const char *data, size_t *size, void **state) {
    http_request *request = *state;
    if (!request) {
        guard_line line = {.method = method, .target = path, .version = version};
        *state = request = open_request(context, connection, &line);
        if (!request)
            return MHD_NO;
        line.target_bytes = request->owner->target_bytes;
        return begin(request, &line);
    }
    if (request->is_gone)
        return MHD_NO;
    if (*size > 0) {
        size_t taken = *size;
        *size = 0;
        return take_body(request, data, taken);
    }
    return end(request);
}

static void log_request(const http_request *request, unsigned int code, uint64_t duration_us) {
    log_event(request->server->log, LOG_LEVEL_INFO, "request", "s:s, s:s*, s:s, s:s, s:i, s:f, s:I", "request_id",
              request->id, "traceparent", request->trace[0] ? request->trace : NULL, "method", request->method, "route",
              request->route ? request->route->path : "other", "code", (int)code, "seconds", (double)duration_us / 1e6,
              "body_bytes", (long long)request->body_bytes);
}

/* Called by the library when the answer is out or the connection is gone. */
static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    http_server *self = context;
    http_request *request = *state;
    if (!request)
        return;
    bool is_answered = request->is_queued && how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    unsigned int code = is_answered ? request->code : request->is_cut ? 408 : 499;
    uint64_t now = swin2sr__clock_us();
    size_t route = route_index(request);
    self->metrics->requests[route][code]++;
    metrics_observe(&self->metrics->request_seconds[route], now - request->begun_us);
    if (is_answered && code == 200 && request->route->is_post)
        metrics_observe(&self->metrics->send_seconds, now - request->sent_us);
    log_request(request, code, now - request->begun_us);

    request->owner->request = NULL;
    request->owner->waiting_us = now;
    loop_watch_remove(self->loop, &request->hang_up);
    if (request->route && request->route->on_free)
        request->route->on_free(request);
    if (request->answer)
        MHD_destroy_response(request->answer);
    *(request->previous ? &request->previous->next : &self->requests) = request->next;
    if (request->next)
        request->next->previous = request->previous;
    free(request);
    *state = NULL;
}

/* ---- connections and their time ---- */

/* Called by the library with a request line, while its target is still as it came. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection) {
    http_connection *self = connection_of(connection);
    if (self)
        self->target_bytes = guard_target_bytes(target);
    return NULL; /* the request's state, which on_access makes */
}

static void open_connection(http_server *server, struct MHD_Connection *connection, void **socket_context) {
    http_connection *self = calloc(1, sizeof *self);
    *socket_context = self;
    if (!self)
        return;
    self->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    self->waiting_us = swin2sr__clock_us();
    self->next = server->connections;
    if (self->next)
        self->next->previous = self;
    server->connections = self;
    server->connection_count++;
}

static void close_connection(http_server *server, http_connection *self) {
    *(self->previous ? &self->previous->next : &server->connections) = self->next;
    if (self->next)
        self->next->previous = self->previous;
    server->connection_count--;
    free(self);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        open_connection(context, connection, socket_context);
    else if (*socket_context)
        close_connection(context, *socket_context);
}

/* A held request is none of ours: its job has a deadline. */
static bool is_too_slow(const http_server *server, const http_connection *self, uint64_t now) {
    const http_request *request = self->request;
    if (!request)
        return now - self->waiting_us > (uint64_t)server->header_s * 1000000;
    uint64_t since = request->sent_us ? request->sent_us : request->begun_us;
    return !request->is_held && now - since > (uint64_t)server->transfer_s * 1000000;
}

/* The library takes the end that this makes for the client's, and closes. */
static void on_sweep(void *context) {
    http_server *server = context;
    uint64_t now = swin2sr__clock_us();
    for (http_connection *self = server->connections; self; self = self->next)
        if (is_too_slow(server, self, now)) {
            shutdown(self->fd, SHUT_RDWR);
            if (self->request)
                self->request->is_cut = true;
        }
    loop_timer_set(server->loop, &server->sweep, now + 1000000);
}

/* ---- the library on the loop ---- */

/* As many connections as the process can have files for: each may hold an upload and an answer beside its socket. */
static unsigned int connection_limit(const http_server *self) {
    struct rlimit files = {0};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    rlim_t fit = files.rlim_cur / 2 > 64 ? files.rlim_cur / 2 : 64, wanted = (rlim_t)self->connections_max;
    return (unsigned int)(fit < wanted ? fit : wanted);
}

static void on_sockets(void *context, uint32_t events) {
    /* http_step follows every step of the loop */
}

bool http_start(http_server *self, int listen_fd) {
    self->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, self, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, self, MHD_OPTION_UNESCAPE_CALLBACK, guard_unescape, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, self, MHD_OPTION_NOTIFY_CONNECTION, on_connection, self,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit(self), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned int)self->client_connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)self->idle_s, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
    if (!self->daemon)
        return false;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    self->sockets = (loop_watch){.fd = info->epoll_fd, .on_ready = on_sockets, .context = self};
    self->sweep = (loop_timer){.on_due = on_sweep, .context = self};
    on_sweep(self);
    return loop_watch_add(self->loop, &self->sockets, EPOLLIN);
}

int64_t http_wait_ms(http_server *self) {
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(self->daemon, &wait_ms) != MHD_YES)
        return -1;
    return wait_ms < INT32_MAX ? (int64_t)wait_ms : INT32_MAX;
}

void http_step(http_server *self) {
    MHD_run(self->daemon);
}

/* The library wants no request held when it stops. */
void http_stop(http_server *self) {
    for (http_request *request = self->requests; request; request = request->next)
        if (request->is_held)
            on_hang_up(request, 0);
    loop_watch_remove(self->loop, &self->sockets);
    loop_timer_clear(self->loop, &self->sweep);
    MHD_stop_daemon(self->daemon);
}
