/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_options.c - send any bytes after the "?" of POST /upscale to the HTTP code and the option parser.
 * The bytes may contain line ends, so they can also form header fields, bodies and further requests.
 * Checks that accepted options are in range and given once, that a refused option gets a 422 with a detail, and that
 * every answer is HTTP. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/options.h"
#include "http/exchange.h"

#define STEPS_MAX 1000
#define INPUT_MAX 60000 /* more than a header may have, less than a socket holds */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

typedef struct seen {
    upscale_options options;
    problem fault;
    bool is_refused;
} seen;

static bool on_option(void *context, const char *name, const char *value) {
    seen *self = context;
    if (!name[0] && !value[0])
        return true; /* an empty pair, which api/intake.c skips */
    upscale_options before = self->options;
    if (!upscale_options_set(&self->options, name, value, &self->fault)) {
        self->is_refused = true;
        check(problem_code(&self->fault) == 422 && self->fault.detail[0]);
        return false;
    }
    check(memcmp(&before, &self->options, sizeof before) != 0);
    check(self->options.quality >= 1 && self->options.quality <= 100);
    check(format_get(self->options.format)->can_write);
    check(format_target_is_sound(&self->options.target));
    check(self->options.compression < FORMAT_COMPRESSION_COUNT);
    check(self->options.metadata <= FORMAT_METADATA_ALL);
    check(!self->options.task || !self->options.model[0]);
    check(memchr(self->options.model, '\0', sizeof self->options.model) != NULL);
    upscale_options twice = self->options;
    check(!upscale_options_set(&twice, name, value, &self->fault));
    return true;
}

static void on_begin(http_request *request) {
    seen self = {.is_refused = false};
    upscale_options_init(&self.options);
    http_request_query(request, on_option, &self);
    if (self.is_refused)
        http_answer_problem(request, &self.fault);
}

static void on_end(http_request *request) {
    http_answer_json(request, HTTP_OK, "{}");
}

/* A server whose connections are socket pairs, kept for all inputs. */
static const http_route route = {"POST", "/upscale", "/upscale", .on_begin = on_begin, .on_end = on_end};
static event_loop loop;
static listener_set listeners = {.count = 1};
static server_log events;
static server_metrics metrics;
static const server_config config = {
    .body_bytes_max = 1000, .connections_max = 4, .idle_s = 1000, .header_s = 1000, .transfer_s = 1000};
static http_server *server;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(bind(fd, (struct sockaddr *)&nowhere, sizeof(sa_family_t)) == 0 && listen(fd, 1) == 0);
    listeners.rows[0].fd = fd;
    events.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    http_settings settings = {
        .loop = &loop, .log = &events, .metrics = &metrics, .config = &config, .routes = &route, .route_count = 1};
    check(loop_init(&loop));
    server = http_start(&settings, &listeners);
    check(server != NULL);
    return 0;
}

/* Send all bytes at once. When the server has closed its side, its answers are in the socket. */
static void send_request(int client, const uint8_t *data, size_t size) {
    static const char before[] = "POST /upscale?", after[] = " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    check(send(client, before, sizeof before - 1, 0) == (ssize_t)sizeof before - 1);
    check(size == 0 || send(client, data, size, 0) == (ssize_t)size);
    check(send(client, after, sizeof after - 1, 0) == (ssize_t)sizeof after - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sockaddr_un peer = {.sun_family = AF_UNIX};
    char answer[9];
    int pair[2];
    if (size > INPUT_MAX)
        return 0;
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    send_request(pair[0], data, size);
    server->arriving = &server->accepts[0];
    check(MHD_add_connection(server->daemon, pair[1], (struct sockaddr *)&peer, sizeof(sa_family_t)) == MHD_YES);
    int steps = 0;
    while (server->connection_count > 0 && steps++ < STEPS_MAX) {
        http_step(server);
        shutdown(pair[0], SHUT_WR); /* again: the library can miss an end that arrives together with bytes */
    }
    check(server->connection_count == 0 && http_is_quiet(server));
    ssize_t got = recv(pair[0], answer, sizeof answer, MSG_DONTWAIT);
    check(got <= 0 || (got == sizeof answer && memcmp(answer, "HTTP/1.", 7) == 0));
    close(pair[0]);
    return 0;
}
