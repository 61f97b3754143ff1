/* SPDX-License-Identifier: Apache-2.0
 * cli/healthcheck.c - swin2sr healthcheck: ask the service whether it is alive, in containers without curl.
 * In: a URL, http only.  Out: exit code 0 if the answer 200 comes in time, else 1 and one line with the reason. */
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command/commands.h"
#include "command/report.h"

#define TIMEOUT_S 5

typedef struct url_parts {
    char host[256], port[8], path[1024];
} url_parts;

/* false: the scheme is not http, or a part is missing or too long. */
static bool parse_url(const char *url, url_parts *ret_parts) {
    static const char scheme[] = "http://";
    url_parts parts = {.port = "80", .path = "/healthz"};
    if (strncmp(url, scheme, sizeof scheme - 1) != 0 || strpbrk(url, " \r\n"))
        return false;
    const char *host = url + sizeof scheme - 1;
    bool is_bracketed = *host == '[';
    host += is_bracketed;
    size_t host_bytes = strcspn(host, is_bracketed ? "]" : ":/?#@");
    const char *rest = host + host_bytes;
    if (is_bracketed && *rest++ != ']')
        return false;
    if (*rest == ':') {
        size_t digits = strspn(rest + 1, "0123456789");
        if (digits == 0 || digits > 5)
            return false;
        snprintf(parts.port, sizeof parts.port, "%.*s", (int)digits, rest + 1);
        rest += 1 + digits;
    }
    if (host_bytes == 0 || host_bytes >= sizeof parts.host || strlen(rest) >= sizeof parts.path ||
        (*rest && *rest != '/'))
        return false;
    snprintf(parts.host, sizeof parts.host, "%.*s", (int)host_bytes, host);
    if (*rest)
        strcpy(parts.path, rest);
    *ret_parts = parts;
    return true;
}

/* Returns a connected socket, or -1 and the reason. */
static int connect_to(const url_parts *parts, const char **ret_why) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(parts->host, parts->port, &hints, &found);
    *ret_why = error ? gai_strerror(error) : "";
    if (error)
        return -1;
    int fd = -1;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        struct timeval limit = {.tv_sec = TIMEOUT_S};
        fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* also limits connect */
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            *ret_why = errno == EINPROGRESS ? "no answer in time" : strerror(errno);
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* Returns the code of the answer, or 0 if none came in time. */
static int ask(int fd, const url_parts *parts) {
    char request[sizeof *parts + 100], answer[16] = "";
    int size =
        snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s%s%s:%s\r\n\r\n", parts->path,
                 strchr(parts->host, ':') ? "[" : "", parts->host, strchr(parts->host, ':') ? "]" : "", parts->port);
    if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        return 0;
    if (recv(fd, answer, 12, MSG_WAITALL) != 12 || strncmp(answer, "HTTP/1.", 7) != 0)
        return 0;
    return (int)strtol(answer + 9, NULL, 10);
}

static int run(const cli_command *command, int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "http://127.0.0.1:8080/healthz", *why;
    url_parts parts;
    if (argc > 2 || !parse_url(url, &parts)) {
        report_error(argc > 2 ? argv[2] : url, "%s",
                     argc > 2 ? "unexpected argument; there may be one URL" : "must be http://HOST[:PORT][/PATH]");
        return CLI_EXIT_USAGE;
    }
    int fd = connect_to(&parts, &why);
    if (fd < 0) {
        report_error(url, "%s", why);
        return CLI_EXIT_UNHEALTHY;
    }
    int code = ask(fd, &parts);
    close(fd);
    if (code == 200)
        return CLI_EXIT_OK;
    if (code)
        report_error(url, "answered %d", code);
    else
        report_error(url, "no answer in time");
    return CLI_EXIT_UNHEALTHY;
}

const cli_command healthcheck_command = {
    "healthcheck",
    "swin2sr healthcheck",
    "Usage: swin2sr healthcheck [URL]\n"
    "Ask the HTTP service whether it is alive. Exit code 0: it answered 200 within 5 seconds;\n"
    "1: it did not; 2: not a URL.\n\n"
    "  URL   http://HOST[:PORT][/PATH] (default: http://127.0.0.1:8080/healthz;\n"
    "        /readyz asks whether it can take work)\n",
    .run = run,
};
