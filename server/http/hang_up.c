/* SPDX-License-Identifier: Apache-2.0
 * http/hang_up.c - distinguish a client that has left from one that has sent everything (stage 1 of 9, request).
 * In: events of the socket of a request.  Out: on_gone for a client that left.
 *
 * A client that closes its connection and one that shuts down only its sending side (nc -N) both send a FIN. They can
 * be distinguished only by sending something. So after a FIN the server sends "100 Continue", which HTTP/1.1 clients
 * must ignore; the kernel of a client that has left answers with a reset one round trip later. HTTP/1.0 has no interim
 * responses. Its clients, and clients that leave some time after their FIN, are assumed to be present until TCP
 * keep-alive finds that their kernel has dropped the connection (Linux: after tcp_fin_timeout, 60 s). */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/exchange.h"

void hang_up_release(http_exchange *self) {
    if (!self->is_held && !self->is_parked)
        return;
    loop_watch_remove(self->server->settings.loop, &self->hang_up);
    self->is_held = self->is_parked = false;
    MHD_resume_connection(self->connection);
}

void hang_up_leave(http_exchange *self) {
    self->is_gone = true;
    if (self->route->on_gone)
        self->route->on_gone(&self->request);
    hang_up_release(self);
}

/* Enable probes without data. On a socket that is not TCP these calls fail, which does no harm: there, the end of a
 * connection is reported as EPOLLHUP. */
static void keep_alive(int fd) {
    static const struct {
        int level, option, value;
    } options[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},
                   {IPPROTO_TCP, TCP_KEEPIDLE, LIMIT_KEEP_ALIVE_S},
                   {IPPROTO_TCP, TCP_KEEPINTVL, LIMIT_KEEP_ALIVE_S},
                   {IPPROTO_TCP, TCP_KEEPCNT, LIMIT_KEEP_ALIVE_PROBES}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof options[i].value);
}

/* false: the socket takes no bytes, or only some of them, after which no answer could follow. The library has nothing
 * to send while a request is held, so the bytes are between two answers. */
static bool send_interim(int fd) {
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    return send(fd, interim, sizeof interim - 1, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof interim - 1;
}

/* While the body arrives, the library notices the end itself, except in the case of hang_up_wake. */
static void on_event(void *context, uint32_t events) {
    http_exchange *self = context;
    self->has_hung_up = true;
    if (self->is_parked) { /* there is nothing left that a client who has sent all could wait for in silence */
        hang_up_leave(self);
        return;
    }
    if (!self->is_held) {
        hang_up_wake(self);
        return;
    }
    loop_watch_remove(self->server->settings.loop, &self->hang_up);
    bool is_there = !(events & (EPOLLHUP | EPOLLERR)) && (self->is_old || send_interim(self->hang_up.fd));
    keep_alive(self->hang_up.fd);
    if (!is_there || !loop_watch_add(self->server->settings.loop, &self->hang_up, 0)) /* EPOLLHUP and EPOLLERR */
        hang_up_leave(self);
}

void hang_up_wake(const http_exchange *self) {
    if (self->has_hung_up)
        shutdown(self->hang_up.fd, SHUT_RD);
}

void hang_up_after_answer(const http_connection *self) {
    char next;
    if (recv(self->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        shutdown(self->fd, SHUT_RD);
}

void hang_up_watch_body(http_exchange *self) {
    self->hang_up.on_ready = on_event;
    loop_watch_add(self->server->settings.loop, &self->hang_up, EPOLLRDHUP | EPOLLONESHOT);
}

bool hang_up_watch_held(http_exchange *self) {
    self->hang_up.on_ready = on_event;
    loop_watch_remove(self->server->settings.loop, &self->hang_up);
    return loop_watch_add(self->server->settings.loop, &self->hang_up, EPOLLRDHUP);
}

bool hang_up_park(http_exchange *self) {
    if (!hang_up_watch_held(self))
        return false;
    self->is_parked = true;
    MHD_suspend_connection(self->connection);
    return true;
}
