/* SPDX-License-Identifier: Apache-2.0
 * config/config.c - the command line of swin2sr-server.
 * In: argv, TMPDIR.  Out: a complete config, or one line that says what is wrong.
 * One table names every flag: it is what getopt_long reads, what --help prints and what docs/operations.md lists. */
#include "config/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cores.h"
#include "config/limits.h"

typedef enum flag {
    FLAG_LISTEN = 0,
    FLAG_WORKERS,
    FLAG_THREADS,
    FLAG_MODEL,
    FLAG_PRECISION,
    FLAG_MAX_BODY_MIB,
    FLAG_MAX_PIXELS,
    FLAG_QUEUE,
    FLAG_DEADLINE_S,
    FLAG_DRAIN_S,
    FLAG_SPOOL,
    FLAG_WORKER,
    FLAG_VERSION,
    FLAG_HELP,
    FLAG_COUNT
} flag;

typedef struct flag_row {
    const char *name, *value, *meaning; /* value NULL: takes none */
    int64_t low, high;                  /* of a number; both 0: text */
} flag_row;

static const flag_row flags[FLAG_COUNT] = {
    [FLAG_LISTEN] = {"listen", "ADDR:PORT", "where to listen; [ADDR]:PORT for IPv6, port 0 for any (127.0.0.1:8080)", 0,
                     0},
    [FLAG_WORKERS] = {"workers", "N", "worker processes (the usable cores, at most 2)", 1, LIMIT_WORKERS},
    [FLAG_THREADS] = {"threads", "N", "threads of each worker (cores / workers)", 1, LIMIT_THREADS},
    [FLAG_MODEL] = {"model", "FILE", "weights to serve (the network inside the program)", 0, 0},
    [FLAG_PRECISION] = {"precision", "NAME", "auto, fp32, bf16 or int8 (auto)", 0, 0},
    [FLAG_MAX_BODY_MIB] = {"max-body-mib", "N", "largest request body in MiB (64)", 1, LIMIT_BODY_MAX_MIB},
    [FLAG_MAX_PIXELS] = {"max-pixels", "N", "largest input in pixels (50000000)", 1, LIMIT_OUT_PIXELS},
    [FLAG_QUEUE] = {"queue", "N", "requests that may wait for a worker (64)", 0, LIMIT_QUEUE_MAX},
    [FLAG_DEADLINE_S] = {"deadline-s", "N", "seconds a request may take, waiting included (300)", 1, LIMIT_WAIT_MAX_S},
    [FLAG_DRAIN_S] = {"drain-s", "N", "seconds to finish work after SIGTERM (30)", 0, LIMIT_WAIT_MAX_S},
    [FLAG_SPOOL] = {"spool", "FOLDER", "where uploads and results lie, unnamed ($TMPDIR, else /tmp)", 0, 0},
    [FLAG_WORKER] = {"worker", "PATH", "the worker program (swin2sr-worker beside this one)", 0, 0},
    [FLAG_VERSION] = {"version", NULL, "print the version", 0, 0},
    [FLAG_HELP] = {"help", NULL, "print this", 0, 0},
};

static void print_help(void) {
    printf("Usage: swin2sr-server [OPTION]...\n"
           "Image super-resolution over HTTP: POST /upscale, and a page at /.\n\n");
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s%s%s", flags[i].name, flags[i].value ? " " : "",
                 flags[i].value ? flags[i].value : "");
        printf("  %-22s %s\n", left, flags[i].meaning);
    }
    printf("\nLogs are JSON lines on stdout. SIGTERM finishes the work in hand and exits; a second one exits at once.\n"
           "Exit codes: 0 done, 1 cannot run or work was left unfinished, 2 wrong usage.\n");
}

static config_outcome wrong(const char *name, const char *why) {
    fprintf(stderr, "swin2sr-server: --%s: %s\n", name, why);
    return CONFIG_WRONG;
}

static bool parse_number(const char *text, int64_t low, int64_t high, int64_t *ret_value) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return false;
    *ret_value = value;
    return true;
}

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0". */
static bool parse_listen(const char *text, server_config *c) {
    const char *colon = strrchr(text, ':');
    if (!colon)
        return false;
    const char *host = text;
    size_t length = (size_t)(colon - text);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    } else if (memchr(host, ':', length)) {
        return false; /* an IPv6 address without brackets */
    }
    int64_t port;
    if (length == 0 || length >= sizeof c->host || !parse_number(colon + 1, 0, 65535, &port))
        return false;
    snprintf(c->host, sizeof c->host, "%.*s", (int)length, host);
    snprintf(c->port, sizeof c->port, "%d", (int)port);
    return true;
}

static bool is_precision(const char *text) {
    static const char *const names[] = {"auto", "fp32", "bf16", "int8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}

/* The program beside this one. */
static bool find_worker(server_config *c) {
    ssize_t length = readlink("/proc/self/exe", c->worker, sizeof c->worker - 1);
    if (length <= 0)
        return false;
    c->worker[length] = '\0';
    char *name = strrchr(c->worker, '/') + 1;
    size_t room = sizeof c->worker - (size_t)(name - c->worker);
    return (size_t)snprintf(name, room, "swin2sr-worker") < room;
}

static config_outcome set_text(server_config *c, flag which, const char *text) {
    const char *name = flags[which].name;
    switch (which) {
    case FLAG_LISTEN:
        return parse_listen(text, c) ? CONFIG_RUN : wrong(name, "not ADDR:PORT or [ADDR]:PORT");
    case FLAG_MODEL:
        c->model = text;
        return CONFIG_RUN;
    case FLAG_PRECISION:
        c->precision = text;
        return is_precision(text) ? CONFIG_RUN : wrong(name, "not one of auto, fp32, bf16, int8");
    case FLAG_SPOOL:
        c->spool = text;
        return CONFIG_RUN;
    default: /* FLAG_WORKER */
        if ((size_t)snprintf(c->worker, sizeof c->worker, "%s", text) >= sizeof c->worker)
            return wrong(name, "too long");
        return CONFIG_RUN;
    }
}

static config_outcome set_number(server_config *c, flag which, const char *text) {
    int64_t value;
    if (!parse_number(text, flags[which].low, flags[which].high, &value)) {
        char why[80];
        snprintf(why, sizeof why, "not a whole number from %lld to %lld", (long long)flags[which].low,
                 (long long)flags[which].high);
        return wrong(flags[which].name, why);
    }
    switch (which) {
    case FLAG_WORKERS:
        c->workers = (int32_t)value;
        break;
    case FLAG_THREADS:
        c->threads = (int32_t)value;
        break;
    case FLAG_MAX_BODY_MIB:
        c->body_bytes_max = (uint64_t)value << 20;
        break;
    case FLAG_MAX_PIXELS:
        c->in_pixels_max = (uint64_t)value;
        break;
    case FLAG_QUEUE:
        c->queue_max = (int32_t)value;
        break;
    case FLAG_DEADLINE_S:
        c->deadline_s = (int32_t)value;
        break;
    default: /* FLAG_DRAIN_S */
        c->drain_s = (int32_t)value;
        break;
    }
    return CONFIG_RUN;
}

static void set_defaults(server_config *c) {
    const char *folder = getenv("TMPDIR");
    *c = (server_config){
        .host = "127.0.0.1",
        .port = "8080",
        .precision = "auto",
        .body_bytes_max = (uint64_t)LIMIT_BODY_DEFAULT_MIB << 20,
        .in_pixels_max = LIMIT_IN_PIXELS_DEFAULT,
        .queue_max = LIMIT_QUEUE_DEFAULT,
        .deadline_s = LIMIT_DEADLINE_DEFAULT_S,
        .drain_s = LIMIT_DRAIN_DEFAULT_S,
        .spool = folder && folder[0] ? folder : "/tmp",
    };
}

/* What depends on the machine. */
static void set_from_cores(server_config *c) {
    int cores = swin2sr__cores_usable();
    if (c->workers == 0)
        c->workers = cores < 2 ? 1 : 2;
    if (c->threads == 0)
        c->threads = cores / c->workers < 1 ? 1 : cores / c->workers;
    if (c->threads > LIMIT_THREADS)
        c->threads = LIMIT_THREADS;
}

config_outcome config_read(int argc, char **argv, server_config *ret_config) {
    struct option options[FLAG_COUNT + 1];
    memset(options, 0, sizeof options);
    for (int i = 0; i < FLAG_COUNT; i++)
        options[i] = (struct option){flags[i].name, flags[i].value ? required_argument : no_argument, NULL, i};

    server_config c;
    set_defaults(&c);
    for (int which; (which = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (which < 0 || which >= FLAG_COUNT)
            return CONFIG_WRONG; /* getopt_long has said what */
        if (which == FLAG_HELP || which == FLAG_VERSION) {
            which == FLAG_HELP ? print_help() : (void)printf("swin2sr-server %s\n", SWIN2SR_VERSION);
            return CONFIG_EXIT;
        }
        config_outcome outcome =
            flags[which].high ? set_number(&c, (flag)which, optarg) : set_text(&c, (flag)which, optarg);
        if (outcome != CONFIG_RUN)
            return outcome;
    }
    if (optind < argc) {
        fprintf(stderr, "swin2sr-server: %s: not an option\n", argv[optind]);
        return CONFIG_WRONG;
    }
    if (!c.worker[0] && !find_worker(&c))
        return wrong("worker", "cannot find my own place; name the program");
    set_from_cores(&c);
    *ret_config = c;
    return CONFIG_RUN;
}
