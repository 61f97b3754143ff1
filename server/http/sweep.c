/* SPDX-License-Identifier: Apache-2.0
 * http/sweep.c - once a second, end the connections of clients that are too slow (stages 1 request and 9 respond).
 * In: all connections.  Out: an answer 408 where a body is slow and no answer has begun; closed connections.
 * The library itself closes silent connections, but without an answer. */
#include <sys/socket.h>

#include "base/clock.h"
#include "http/exchange.h"

/* A held request is not slow: the deadline of its job applies. Nor is a stream that has nothing to send. */
static bool is_waiting_for_us(const http_exchange *exchange) {
    return exchange->is_held || exchange->is_parked;
}

static bool is_too_late(const http_connection *self, const server_config *config, uint64_t now_us) {
    const http_exchange *exchange = self->exchange;
    if (!exchange)
        return now_us - self->waiting_us > (uint64_t)config->header_s * 1000000;
    uint64_t since_us = exchange->sent_us ? exchange->sent_us : exchange->begun_us;
    return !is_waiting_for_us(exchange) && now_us - since_us > (uint64_t)config->transfer_s * 1000000;
}

/* true: over the last LIMIT_RATE_WINDOW_S seconds the body came more slowly than it must. */
static bool is_trickling(http_exchange *self, const server_config *config, uint64_t now_us) {
    uint64_t least_bytes = (uint64_t)config->min_upload_rate * LIMIT_RATE_WINDOW_S;
    uint64_t since_us = self->window_us ? self->window_us : self->begun_us;
    if (is_waiting_for_us(self)) { /* the time of the client goes on when the request does */
        self->window_us = now_us;
        self->window_bytes = self->request.body_bytes;
        return false;
    }
    if (self->sent_us || now_us - since_us < LIMIT_RATE_WINDOW_S * 1000000ull)
        return false;
    uint64_t bytes = self->request.body_bytes - self->window_bytes;
    self->window_us = now_us;
    self->window_bytes = self->request.body_bytes;
    return bytes < least_bytes;
}

/* After shutdown() the library reads the end of input and closes the connection. */
static void cut(http_connection *self, const problem *what) {
    http_exchange *exchange = self->exchange;
    if (exchange && !exchange->is_cut && !exchange->sent_us)
        answer_directly(exchange, what);
    if (exchange)
        exchange->is_cut = true;
    shutdown(self->fd, SHUT_RDWR);
}

static void check(http_connection *self, const server_config *config, uint64_t now_us) {
    if (is_too_late(self, config, now_us)) {
        problem what =
            problem_of(PROBLEM_TOO_SLOW, "the body did not arrive within %d seconds", (int)config->transfer_s);
        cut(self, &what);
    } else if (self->exchange && is_trickling(self->exchange, config, now_us)) {
        problem what = problem_of(PROBLEM_TOO_SLOW, "for %d seconds the body came with less than %d bytes per second",
                                  LIMIT_RATE_WINDOW_S, (int)config->min_upload_rate);
        cut(self, &what);
    }
}

static void on_sweep(void *context) {
    http_server *server = context;
    uint64_t now_us = swin2sr__clock_us();
    for (http_connection *self = server->connections; self; self = self->next)
        check(self, server->settings.config, now_us);
    loop_timer_set(server->settings.loop, &server->sweep, now_us + 1000000);
}

void sweep_start(http_server *self) {
    self->sweep = (loop_timer){.on_due = on_sweep, .context = self};
    on_sweep(self);
}
