/* SPDX-License-Identifier: Apache-2.0
 * http/http.c - requests in, answers out, on the server's own loop (stages 1 request and 9 respond).
 * In: sockets.  Out: calls to routes; their answers on the wire; one log line and the metrics for each request.
 * The library runs without threads: its epoll descriptor is one watch of the loop. A refused request's body is read
 * and thrown away within a bound, because closing with unread bytes would destroy the answer on its way.
 * Limits on time: the library closes silent connections; a sweep once a second closes slow ones. */
#include "http/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/exchange.h"
#include "http/guard.h"

/* ---- the life of a request ---- */

static void refuse_body_size(http_exchange *self, uint64_t actual) {
    problem what = problem_of(PROBLEM_BODY_TOO_LARGE, "the body has more bytes than this service takes");
    what.limit = self->server->settings.config->body_bytes_max;
    what.actual = actual;
    http_answer_problem(&self->request, &what);
}

/* Content-Length, which the library has checked to be a number; 0: there is none. */
static uint64_t announced_bytes(const http_exchange *self) {
    const char *text = http_request_header(&self->request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text ? strtoull(text, NULL, 10) : 0;
}

/* NULL: there was no memory for it when the connection was opened. */
static http_connection *connection_of(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static http_side side_of(struct MHD_Connection *connection) {
    const http_connection *self = connection_of(connection);
    return self ? self->side : HTTP_SIDE_ALL;
}

static http_exchange *open_exchange(http_server *server, struct MHD_Connection *connection, const guard_line *line,
                                    const http_match *match) {
    http_connection *owner = connection_of(connection);
    http_exchange *self = owner ? calloc(1, sizeof *self) : NULL;
    if (!self)
        return NULL;
    self->server = server;
    self->request.app = server->settings.app;
    self->connection = connection;
    self->owner = owner;
    owner->exchange = self;
    self->begun_us = swin2sr__clock_us();
    self->route = match->route;
    strcpy(self->request.part, match->part);
    self->request.is_inner = owner->side == HTTP_SIDE_METRICS;
    self->request.method = request_known_method(line->method);
    for (const char *at = guard_path(line->target); *at; at++)
        self->depth += *at == '/';
    self->is_old = strcmp(line->version, "HTTP/1.0") == 0;
    self->hang_up = (loop_watch){.fd = owner->fd, .context = self};
    request_set_ids(self);
    request_set_client(self);
    return self;
}

/* allow: "GET, HEAD". The detail reads "use GET or HEAD". */
static void refuse_method(http_exchange *self, const char *allow) {
    const char *last = strrchr(allow, ',');
    int before = last ? (int)(last - allow) : 0;
    problem what = last ? problem_of(PROBLEM_METHOD, "use %.*s or%s", before, allow, last + 1)
                        : problem_of(PROBLEM_METHOD, "use %s", allow);
    http_answer_problem(&self->request, &what);
    http_answer_header(&self->request, MHD_HTTP_HEADER_ALLOW, allow);
}

/* The header has used the memory that the answer needs, so the library cannot answer. */
static void refuse_header(http_exchange *self, size_t bytes) {
    problem what = problem_of(PROBLEM_HEADER_TOO_LARGE, "the header takes more memory than a request may have; each "
                                                        "field, parameter and cookie counts 64 bytes beside its text");
    what.limit = LIMIT_HEADER_BYTES;
    what.actual = bytes;
    answer_directly(self, &what);
}

static void refuse_parameters(http_exchange *self) {
    problem what = problem_of(PROBLEM_MALFORMED, "the query has more parameters than a request may have");
    what.limit = LIMIT_QUERY_PARAMETERS;
    what.actual = self->owner->parameters;
    http_answer_problem(&self->request, &what);
}

/* false: the gate has answered. */
static bool pass_gate(http_exchange *self) {
    const http_gate *gate = &self->server->settings.gate;
    self->is_past_gate = gate->on_request;
    return !gate->on_request || gate->on_request(gate->context, &self->request, self->route);
}

/* After the gate: call the route, or answer why there is none. */
static void begin_route(http_exchange *self, const http_match *match, uint64_t announced) {
    const http_route *route = self->route;
    if (!route && !match->allow[0]) {
        answer_refuse(self, PROBLEM_NOT_FOUND, "no such path");
    } else if (!route) {
        refuse_method(self, match->allow);
    } else if (announced > self->server->settings.config->body_bytes_max) {
        refuse_body_size(self, announced);
    } else {
        if (route->on_end)
            hang_up_watch_body(self);
        if (route->on_begin)
            route->on_begin(&self->request);
    }
}

/* The header has arrived. What can be refused now is refused before the client is asked for the body. */
static enum MHD_Result begin(http_exchange *self, const guard_line *line, const http_match *match) {
    uint64_t announced = announced_bytes(self);
    const char *fault = guard_check(self->connection, line);
    size_t header_bytes = guard_header_bytes(self->connection, line);
    /* The library accepts malformed ends of chunks, so nothing after a chunked body is served as a request. */
    self->is_last = http_request_header(&self->request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    if (fault) {
        self->is_closing = true;
        answer_refuse(self, PROBLEM_MALFORMED, fault);
        return answer_send(self);
    }
    if (header_bytes > LIMIT_HEADER_BYTES) {
        refuse_header(self, header_bytes);
        return MHD_NO;
    }
    if (self->owner->parameters > LIMIT_QUERY_PARAMETERS)
        refuse_parameters(self);
    else if (pass_gate(self))
        begin_route(self, match, announced);
    bool is_waiting = http_request_header(&self->request, MHD_HTTP_HEADER_EXPECT) != NULL;
    bool is_decided = self->answer || self->is_closing;
    if (is_decided && (is_waiting || announced > LIMIT_DISCARD_BYTES)) {
        self->is_closing = true;
        return answer_send(self);
    }
    return MHD_YES;
}

static enum MHD_Result take_body(http_exchange *self, const char *data, size_t size) {
    hang_up_wake(self);
    self->request.body_bytes += size;
    self->server->settings.metrics->upload_bytes += size;
    if (self->answer || self->is_closing) {
        self->discarded_bytes += size;
        return self->discarded_bytes > LIMIT_DISCARD_BYTES ? MHD_NO : MHD_YES;
    }
    if (self->request.body_bytes > self->server->settings.config->body_bytes_max)
        refuse_body_size(self, self->request.body_bytes);
    else if (self->route->on_body)
        self->route->on_body(&self->request, data, size);
    return MHD_YES;
}

static enum MHD_Result end(http_exchange *self) {
    if (!self->answer && !self->is_closing && self->route->on_end)
        self->route->on_end(&self->request);
    if (self->answer || self->is_closing)
        return answer_send(self);
    if (!hang_up_watch_held(self))
        return MHD_NO;
    self->is_held = true;
    MHD_suspend_connection(self->connection);
    return MHD_YES;
}

/* The library calls this with the header, with each piece of the body, at the end of the body and after a resume. */
static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                                 const char *version, const char *data, size_t *size, void **state) {
    http_server *server = context;
    http_exchange *self = *state;
    if (!self) {
        guard_line line = {.method = method, .target = path, .version = version};
        const char *override = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-HTTP-Method-Override");
        http_match match = router_find(server->settings.routes, server->settings.route_count, side_of(connection),
                                       method, override, guard_path(path));
        *state = self = open_exchange(server, connection, &line, &match);
        server->settings.metrics->connections_dropped += !self;
        if (!self)
            return MHD_NO;
        line.target_bytes = self->owner->target_bytes;
        return begin(self, &line, &match);
    }
    if (self->is_gone)
        return MHD_NO;
    if (*size > 0) {
        size_t taken = *size;
        *size = 0;
        return take_body(self, data, taken);
    }
    return end(self);
}

static void log_request(const http_exchange *self, const char *label, unsigned int code, uint64_t duration_us) {
    const http_request *request = &self->request;
    const http_route *route = self->route;
    log_level level = route && route->side != HTTP_SIDE_CLIENTS ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
    log_event(self->server->settings.log, level, "request", "s:s, s:s*, s:s*, s:s*, s:s, s:s, s:i, s:f, s:I",
              "request_id", request->id, "traceparent", request->trace[0] ? request->trace : NULL, "key",
              request->owner[0] ? request->owner : NULL, "client",
              self->server->settings.config->is_log_client ? request->client : NULL, "method", request->method, "route",
              label, "code", (int)code, "seconds", (double)duration_us / 1e6, "body_bytes",
              (long long)request->body_bytes);
}

static void count_request(const http_exchange *self, unsigned int code, bool is_answered, uint64_t now_us) {
    const http_settings *settings = &self->server->settings;
    const http_route *route = self->route;
    size_t label = route ? router_label_index(settings->routes, route) : settings->route_count;
    uint64_t duration_us = now_us - self->begun_us;
    settings->metrics->requests[label][code]++;
    metrics_observe(&settings->metrics->request_seconds[label], duration_us);
    if (is_answered && code == HTTP_OK && route->on_end)
        metrics_observe(&settings->metrics->send_seconds, now_us - self->sent_us);
    log_request(self, route ? route->label : "other", code, duration_us);
}

/* Whether the server ended the request, because it was too slow or the server stops, or the client did. */
static unsigned int code_without_answer(const http_exchange *self, enum MHD_RequestTerminationCode how) {
    if (self->direct_code)
        return self->direct_code;
    if (self->is_cut || how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
        return 408;
    return how == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN ? HTTP_UNAVAILABLE : 499;
}

/* The library calls this when the answer has been sent or the connection is gone. */
static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    http_server *server = context;
    http_exchange *self = *state;
    if (!self)
        return;
    bool is_answered = self->is_queued && how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    uint64_t now_us = swin2sr__clock_us();
    count_request(self, is_answered ? self->code : code_without_answer(self, how), is_answered, now_us);
    self->owner->exchange = NULL;
    self->owner->waiting_us = now_us;
    hang_up_after_answer(self->owner);
    loop_watch_remove(server->settings.loop, &self->hang_up);
    if (self->pause)
        self->pause->request = NULL;
    if (self->route && self->route->on_free)
        self->route->on_free(&self->request);
    if (self->is_past_gate && server->settings.gate.on_leave)
        server->settings.gate.on_leave(server->settings.gate.context, &self->request);
    if (self->answer)
        MHD_destroy_response(self->answer);
    free(self);
    *state = NULL;
}

/* ---- requests that wait before their route begins ---- */

void http_pause_begin(http_request *request, http_pause *pause) {
    pause->request = request;
    request->was_paused = true;
    exchange_of(request)->pause = pause;
}

void http_pause_end(http_pause *pause) {
    http_exchange *self = pause->request ? exchange_of(pause->request) : NULL;
    pause->request = NULL;
    if (!self)
        return;
    self->pause = NULL;
    if (!self->is_gone)
        self->route->on_begin(&self->request);
}

/* ---- connections and their time ---- */

/* The library calls this with each request target, in its buffer, before it takes it apart there. If the parameters are
 * too many for the connection's memory, it closes the connection without an answer, so it must not see them. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection) {
    http_connection *self = connection_of(connection);
    if (!self)
        return NULL;
    self->target_bytes = guard_target_bytes(target);
    self->parameters = guard_parameters(target);
    if (self->parameters > LIMIT_QUERY_PARAMETERS)
        strchr((char *)target, '?')[1] = '\0';
    return NULL; /* the request's state, which on_access makes */
}

static void open_connection(http_server *server, struct MHD_Connection *connection, void **socket_context) {
    http_connection *self = calloc(1, sizeof *self);
    *socket_context = self;
    if (!self)
        return;
    self->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    self->side = server->arriving->side;
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
    accept_resume(server);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        open_connection(context, connection, socket_context);
    else if (*socket_context)
        close_connection(context, *socket_context);
}

/* ---- the library on the loop ---- */

/* A connection holds up to two descriptors, its socket and an upload or a result, so the limit on open files bounds the
 * number of connections. */
static unsigned int connection_limit(const server_config *config) {
    struct rlimit files = {0};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    rlim_t fit = files.rlim_cur / 2 > 64 ? files.rlim_cur / 2 : 64, wanted = (rlim_t)config->connections_max;
    return (unsigned int)(fit < wanted ? fit : wanted);
}

static void on_sockets(void *context, uint32_t events) {
    /* http_step, called after every step of the loop, does the work */
}

static struct MHD_Daemon *start_daemon(http_server *self) {
    const server_config *config = self->settings.config;
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
                            on_access, self, MHD_OPTION_NOTIFY_COMPLETED, on_completed, self,
                            MHD_OPTION_UNESCAPE_CALLBACK, guard_unescape, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target,
                            self, MHD_OPTION_NOTIFY_CONNECTION, on_connection, self, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned int)self->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                            (unsigned int)config->client_connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)LIMIT_CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)config->idle_s,
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

http_server *http_start(const http_settings *settings, const listener_set *listeners) {
    http_server *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->settings = *settings;
    self->connections_max = connection_limit(settings->config);
    self->daemon = start_daemon(self);
    if (!self->daemon) {
        free(self);
        return NULL;
    }
    self->listeners = listeners;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    self->sockets = (loop_watch){.fd = info->epoll_fd, .on_ready = on_sockets, .context = self};
    sweep_start(self);
    if (loop_watch_add(settings->loop, &self->sockets, EPOLLIN) && accept_start(self))
        return self;
    http_stop(self);
    return NULL;
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

static void end_stream(http_exchange *self) {
    if (self->is_parked)
        hang_up_release(self);
}

void http_drain(http_server *self) {
    self->is_draining = true;
    for (http_connection *each = self->connections; each; each = each->next)
        if (each->exchange)
            end_stream(each->exchange);
}

bool http_is_quiet(const http_server *self) {
    const http_connection *each = self->connections;
    while (each && !each->exchange)
        each = each->next;
    return !each;
}

void http_cut(http_request *request) {
    shutdown(exchange_of(request)->owner->fd, SHUT_RDWR);
}

size_t http_connection_count(const http_server *self) {
    return self->connection_count;
}

size_t http_connection_limit(const http_server *self) {
    return self->connections_max;
}

/* The library must not be stopped while it has suspended connections, so held requests are released first. */
void http_stop(http_server *self) {
    for (http_connection *each = self->connections; each; each = each->next)
        if (each->exchange && (each->exchange->is_held || each->exchange->is_parked))
            hang_up_leave(each->exchange);
    accept_stop(self);
    loop_watch_remove(self->settings.loop, &self->sockets);
    loop_timer_clear(self->settings.loop, &self->sweep);
    MHD_stop_daemon(self->daemon);
    free(self);
}
