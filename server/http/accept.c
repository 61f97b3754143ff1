/* SPDX-License-Identifier: Apache-2.0
 * http/accept.c - connections from all listening sockets (stage 1 of 9, request).
 * In: listening sockets, as watches of the loop.  Out: connections for the HTTP library.
 * The library can accept connections itself, but only from one socket, and after a lack of descriptors it does not try
 * again before a connection ends. One connection is accepted per step of the loop, so that the library, which takes it
 * over in http_step, calls on_connection for it while self->arriving is still its socket. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/exchange.h"

/* Further connections wait in the queue of the kernel. */
static void pause_all(http_server *self) {
    for (int i = 0; i < self->listeners->count; i++)
        loop_watch_remove(self->settings.loop, &self->accepts[i].watch);
    self->is_accepting = false;
}

static void accept_again(void *context) {
    accept_resume(context);
}

/* A lack of descriptors or memory, which may end without the end of a connection. */
static void wait_for_room(http_server *self, int error) {
    if (!self->is_short)
        log_event(self->settings.log, LOG_LEVEL_WARN, "cannot_accept", "s:s", "detail", strerror(error));
    self->is_short = true;
    pause_all(self);
    loop_timer_set(self->settings.loop, &self->accept_timer, swin2sr__clock_us() + LIMIT_ACCEPT_RETRY_MS * 1000u);
}

static void on_arrival(void *context, uint32_t events) {
    http_accept *socket = context;
    http_server *self = socket->server;
    if (self->connection_count >= self->connections_max) {
        pause_all(self);
        return;
    }
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept4(socket->watch.fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        wait_for_room(self, errno);
    if (fd < 0)
        return; /* the client has left, or the next event tries again */
    self->is_short = false;
    self->arriving = socket;
    if (MHD_add_connection(self->daemon, fd, (struct sockaddr *)&address, size) != MHD_YES) /* and closes it */
        self->settings.metrics->connections_dropped++;
}

void accept_resume(http_server *self) {
    if (self->is_accepting || self->accept_timer.is_set)
        return;
    self->is_accepting = true;
    for (int i = 0; i < self->listeners->count; i++)
        self->is_accepting &= loop_watch_add(self->settings.loop, &self->accepts[i].watch, EPOLLIN);
}

bool accept_start(http_server *self) {
    self->accept_timer = (loop_timer){.on_due = accept_again, .context = self};
    for (int i = 0; i < self->listeners->count; i++) {
        http_accept *socket = &self->accepts[i];
        *socket = (http_accept){.server = self, .side = self->listeners->rows[i].side};
        socket->watch = (loop_watch){.fd = self->listeners->rows[i].fd, .on_ready = on_arrival, .context = socket};
    }
    accept_resume(self);
    return self->is_accepting;
}

void accept_stop(http_server *self) {
    pause_all(self);
    loop_timer_clear(self->settings.loop, &self->accept_timer);
}
