/* SPDX-License-Identifier: Apache-2.0
 * http/listen.c - open and close the listening sockets (stage 1 of 9, request).
 * In: addresses, which are resolved here.  Out: sockets that accept connections. Runs before the loop, and may wait for
 * the name service. */
#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

static swin2sr_status failed(swin2sr_error *reterr, const listen_address *address, const char *why) {
    char text[LIMIT_LISTEN_BYTES];
    listen_write(address, text, sizeof text);
    return swin2sr__error_set(reterr, SWIN2SR_IO, "cannot listen on %s: %s", text, why);
}

/* Close a socket, and keep errno.  returns -1. */
static int give_up(int fd) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Take a socket.  false, with errno set: it was not opened, or there is no room for it. */
static bool add(listener_set *self, int fd, http_side side, const char *path) {
    struct stat file = {.st_ino = 0};
    if (fd < 0)
        return false;
    if (self->count == LIMIT_LISTENERS || (path && lstat(path, &file) != 0)) {
        close(fd);
        errno = path && self->count < LIMIT_LISTENERS ? ENOENT : EMFILE;
        return false;
    }
    self->rows[self->count++] =
        (listener){.fd = fd, .side = side, .path = path, .device = file.st_dev, .inode = file.st_ino};
    return true;
}

/* ---- TCP ---- */

static int open_tcp(const struct addrinfo *address, bool is_v6_only) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6 && is_v6_only)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    bool is_open = bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
    return is_open ? fd : give_up(fd);
}

/* "[::]:80" takes IPv4 connections too, unless another entry is for IPv4 and this port. */
static bool is_v6_only(const server_config *config, const char *port) {
    const listen_list *lists[] = {&config->listen, &config->metrics_listen};
    for (size_t i = 0; i < 2; i++)
        for (const listen_address *row = lists[i]->rows; row < lists[i]->rows + lists[i]->count; row++)
            if (!row->path[0] && !strchr(row->host, ':') && strcmp(row->port, port) == 0)
                return true;
    return false;
}

/* A name may have addresses that this machine lacks, such as ::1 where there is no IPv6. */
static bool is_missing_here(int error) {
    return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static swin2sr_status listen_tcp(const server_config *config, const listen_address *address, http_side side,
                                 listener_set *self, swin2sr_error *reterr) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
    int error = getaddrinfo(address->host, address->port, &hints, &found), before = self->count;
    if (error)
        return failed(reterr, address, gai_strerror(error));
    for (const struct addrinfo *each = found; each; each = each->ai_next) {
        if (add(self, open_tcp(each, is_v6_only(config, address->port)), side, NULL))
            continue;
        error = errno;
        if (!is_missing_here(error))
            break;
    }
    freeaddrinfo(found);
    bool is_open = self->count > before && (!error || is_missing_here(error));
    return is_open ? SWIN2SR_OK : failed(reterr, address, strerror(error));
}

/* ---- Unix sockets ---- */

/* A socket file without a listener was left by a server that was killed. */
static void remove_stale(const struct sockaddr_un *address) {
    struct stat info;
    if (lstat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
}

/* Everyone who can reach the folder may connect, as everyone on this machine can connect to a port. */
static int open_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _Static_assert(sizeof address.sun_path >= LIMIT_SOCKET_PATH_BYTES, "a path of the config fits");
    strcpy(address.sun_path, path);
    remove_stale(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool is_open = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && chmod(path, 0666) == 0 &&
                   listen(fd, SOMAXCONN) == 0;
    return is_open ? fd : give_up(fd);
}

/* ---- all sockets ---- */

static swin2sr_status listen_on(const server_config *config, const listen_list *list, http_side side,
                                listener_set *self, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    for (const listen_address *row = list->rows; row < list->rows + list->count && status == SWIN2SR_OK; row++) {
        if (!row->path[0])
            status = listen_tcp(config, row, side, self, reterr);
        else if (!add(self, open_unix(row->path), side, row->path))
            status = failed(reterr, row, strerror(errno));
    }
    return status;
}

swin2sr_status listen_open(const server_config *config, listener_set *self, swin2sr_error *reterr) {
    http_side side = config->metrics_listen.count ? HTTP_SIDE_CLIENTS : HTTP_SIDE_ALL;
    swin2sr_status status = listen_on(config, &config->listen, side, self, reterr);
    return status == SWIN2SR_OK ? listen_on(config, &config->metrics_listen, HTTP_SIDE_METRICS, self, reterr) : status;
}

void listen_describe(const listener *self, char ret_address[LIMIT_SOCKET_PATH_BYTES], int *ret_port) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char port[8] = "0";
    snprintf(ret_address, LIMIT_SOCKET_PATH_BYTES, "%s", self->path ? self->path : "");
    if (!self->path && getsockname(self->fd, (struct sockaddr *)&address, &size) == 0)
        getnameinfo((struct sockaddr *)&address, size, ret_address, LIMIT_SOCKET_PATH_BYTES, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    *ret_port = atoi(port);
}

/* Another server may have taken the path over. */
static bool is_own_file(const listener *self) {
    struct stat info;
    return lstat(self->path, &info) == 0 && info.st_dev == self->device && info.st_ino == self->inode;
}

void listen_close(listener_set *self) {
    for (listener *row = self->rows; row < self->rows + self->count; row++) {
        if (row->path && is_own_file(row))
            unlink(row->path);
        close(row->fd);
    }
    self->count = 0;
}
