/* SPDX-License-Identifier: Apache-2.0
 * server.c - start, serve, drain, end.
 * In: a config.  Out: a service. SIGTERM, SIGINT or SIGQUIT begins the drain: work is finished, new work is refused.
 * A second signal exits at once: workers end when their socket closes, unnamed files vanish with their descriptors. */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/routes.h"
#include "base/clock.h"
#include "base/digest.h"
#include "drop.h"
#include "s3/objects.h"

/* ---- listening ---- */

static bool open_listeners(server *self) {
    swin2sr_error error = {""};
    if (listen_open(&self->config, &self->listeners, &error) == SWIN2SR_OK)
        return true;
    fprintf(stderr, "swin2sr-server: %s\n", error.text);
    return false;
}

/* One line for each socket; the first lines of the log. */
static void log_listeners(server *self) {
    const listener_set *listeners = &self->listeners;
    for (const listener *row = listeners->rows; row < listeners->rows + listeners->count; row++) {
        char address[LIMIT_SOCKET_PATH_BYTES];
        int port;
        listen_describe(row, address, &port);
        log_event(&self->log, LOG_LEVEL_INFO, "listening", "s:s, s:i, s:b, s:s, s:i, s:i", "address", address, "port",
                  port, "is_for_metrics", row->side == HTTP_SIDE_METRICS, "version", SWIN2SR_VERSION, "workers",
                  (int)self->config.worker_count, "threads", (int)self->config.threads);
    }
}

/* true: other machines can connect to this socket and send images. */
static bool is_reachable(const listener *row) {
    char text[LIMIT_SOCKET_PATH_BYTES];
    int port;
    client_address address;
    proxy_list loopback;
    listen_describe(row, text, &port);
    return row->side != HTTP_SIDE_METRICS && !row->path && address_parse(text, &address) &&
           proxies_parse("127.0.0.0/8,::1", &loopback, NULL) == SWIN2SR_OK && !proxies_has(&loopback, &address);
}

static void warn_without_keys(server *self) {
    const listener_set *listeners = &self->listeners;
    bool has_reachable = false;
    for (const listener *row = listeners->rows; row < listeners->rows + listeners->count; row++)
        has_reachable |= is_reachable(row);
    if (has_reachable && !self->config.keys)
        log_event(&self->log, LOG_LEVEL_WARN, "no_keys", "s:s", "detail",
                  "other machines can connect and need no API key; --keys asks for keys");
}

/* ---- signals and the drain ---- */

static void on_stop(void *context) {
    server *self = context;
    self->is_stopping = true;
}

/* Refuse the remaining work, and stop one second later so that the refusals can be sent. */
static void on_drain_limit(void *context) {
    server *self = context;
    /* they are done after the next start */
    self->has_left_work = pools_waiting(&self->pools) + pools_running(&self->pools) > backlog_submitted(&self->backlog);
    log_event(&self->log, LOG_LEVEL_WARN, "drain_limit", "s:b", "has_left_work", self->has_left_work);
    pools_abandon(&self->pools);
    self->drain_timer.on_due = on_stop;
    loop_timer_set(&self->loop, &self->drain_timer, swin2sr__clock_us() + 1000000);
}

/* Refuse new work, and finish what was accepted. */
static void drain(void *context) {
    server *self = context;
    self->context.is_draining = true;
    if (self->context.backlog)
        backlog_drain(&self->backlog);
    http_drain(self->http);
    log_event(&self->log, LOG_LEVEL_INFO, "draining", "s:s, s:i, s:i", "signal", sigabbrev_np(self->end_signal),
              "waiting", (int)pools_waiting(&self->pools), "running", (int)pools_running(&self->pools));
    self->drain_timer.on_due = on_drain_limit;
    loop_timer_set(&self->loop, &self->drain_timer, swin2sr__clock_us() + (uint64_t)self->config.drain_s * 1000000);
}

/* /readyz fails first, so that load balancers send no new work once it is refused. */
static void leave(server *self, int signal_number) {
    if (self->context.is_leaving)
        _exit(1);
    self->context.is_leaving = true;
    self->end_signal = signal_number;
    if (!self->config.drain_delay_s) {
        drain(self);
        return;
    }
    log_event(&self->log, LOG_LEVEL_INFO, "leaving", "s:s, s:i", "signal", sigabbrev_np(signal_number), "delay_s",
              (int)self->config.drain_delay_s);
    self->drain_timer.on_due = drain;
    loop_timer_set(&self->loop, &self->drain_timer,
                   swin2sr__clock_us() + (uint64_t)self->config.drain_delay_s * 1000000);
}

/* SIGHUP: read again what may change while the server is running. */
static void reload(server *self) {
    gate_reload(&self->gate);
    log_event(&self->log, LOG_LEVEL_INFO, "reloaded", "");
}

static void on_signal(void *context, uint32_t events) {
    server *self = context;
    struct signalfd_siginfo info;
    if (read(self->signals.fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        reload(self);
    else
        leave(self, (int)info.ssi_signo);
}

static bool watch_signals(server *self) {
    static const int taken[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
    static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2,
                                  SIGXFSZ}; /* reaching the file size limit is an error like a full disk */
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        sigaddset(&set, taken[i]);
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    self->signals = (loop_watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .on_ready = on_signal};
    self->signals.context = self;
    self->drain_timer = (loop_timer){.context = self};
    return self->signals.fd >= 0 && loop_watch_add(&self->loop, &self->signals, EPOLLIN);
}

/* ---- memory ---- */

static void on_sample(void *context) {
    server *self = context;
    uint64_t now_us = swin2sr__clock_us();
    memory_sample(&self->memory, now_us);
    degrade_update(&self->levels, now_us);
    loop_timer_set(&self->loop, &self->sampling, now_us + LIMIT_SAMPLE_MS * 1000);
}

/* ---- start, serve, end ---- */

static bool start_http(server *self) {
    const http_settings settings = {.loop = &self->loop,
                                    .log = &self->log,
                                    .metrics = &self->metrics,
                                    .config = &self->config,
                                    .routes = routes,
                                    .route_count = routes_count,
                                    .gate = gate_hooks(&self->gate),
                                    .app = &self->context};
    self->http = http_start(&settings, &self->listeners);
    self->context = (api_context){.config = &self->config,
                                  .log = &self->log,
                                  .metrics = &self->metrics,
                                  .http = self->http,
                                  .routes = routes,
                                  .route_count = routes_count,
                                  .uploads = &self->store,
                                  .data = &self->data,
                                  .partials = &self->partials,
                                  .io = &self->io,
                                  .pools = &self->pools,
                                  .memory = &self->memory,
                                  .levels = &self->levels,
                                  .loop = &self->loop,
                                  .backlog = self->config.data ? &self->backlog : NULL,
                                  .events = &self->events,
                                  .begun_us = swin2sr__clock_us(),
                                  .begun_epoch_s = time(NULL)};
    return self->http;
}

/* The folder of --data, before the spool, which may lie in it. */
static bool open_data(server *self) {
    swin2sr_error error = {""};
    if (!self->config.data ||
        data_open(&self->data, self->config.data, self->config.node, self->config.reserve_bytes, &error) == SWIN2SR_OK)
        return true;
    fprintf(stderr, "swin2sr-server: %s\n", error.text);
    return false;
}

static bool open_gate(server *self) {
    swin2sr_error error = {""};
    if (gate_open(&self->gate, &self->config, &self->log, &error) == SWIN2SR_OK)
        return true;
    fprintf(stderr, "swin2sr-server: %s\n", error.text);
    return false;
}

/* The parts of --data that run on the loop. */
static bool start_data(server *self) {
    if (!data_is_open(&self->data))
        return true;
    return io_start(&self->io, &self->loop) &&
           partial_set_open(&self->partials, &self->data, &self->store, &self->io, &self->loop,
                            (uint64_t)self->config.upload_hours * 3600) == SWIN2SR_OK;
}

/* Requests to a store are given up in half a lease, so that the next sign of life is not late, but not too early for a
 * store under load. */
static swin2sr_status open_s3(server *self, swin2sr_error *reterr) {
    const server_config *config = &self->config;
    uint32_t half_s = (uint32_t)(config->lease_s + 1) / 2;
    const s3_settings settings = {.region = config->s3_region,
                                  .is_virtual = config->s3_addressing == 1,
                                  .once = (s3_once)config->s3_once,
                                  .encryption = (s3_encryption)config->s3_encryption,
                                  .kms_key = config->s3_kms_key,
                                  .credentials = config->s3_credentials,
                                  .request_s = half_s < LIMIT_S3_REQUEST_MIN_S ? LIMIT_S3_REQUEST_MIN_S : half_s};
    return objects_open_s3(config->cluster + strlen(CLUSTER_S3), &settings, config->spool, &self->shared, reterr);
}

/* The store of --cluster. name: of this process in it. */
static bool open_shared(server *self, char name[LIMIT_PEER_BYTES]) {
    swin2sr_error error = {""};
    uint8_t random[4] = {0};
    char hex[2 * sizeof random + 1];
    if (!self->config.cluster)
        return true;
    swin2sr_status status = getrandom(random, sizeof random, 0) == sizeof random ? SWIN2SR_OK : SWIN2SR_INTERNAL;
    swin2sr__hex(random, sizeof random, hex);
    snprintf(name, LIMIT_PEER_BYTES, "%s-%s", self->config.node, hex);
    if (status == SWIN2SR_OK && strncmp(self->config.cluster, CLUSTER_S3, strlen(CLUSTER_S3)) == 0)
        status = open_s3(self, &error);
    else if (status == SWIN2SR_OK)
        status = objects_open_folder(self->config.cluster + strlen(CLUSTER_FOLDER), name, &self->shared, &error);
    if (status == SWIN2SR_OK)
        status = objects_measure(self->shared, &self->shared, &error);
    if (status != SWIN2SR_OK)
        fprintf(stderr, "swin2sr-server: --cluster: %s\n", error.text);
    return status == SWIN2SR_OK;
}

static bool start_backlog(server *self) {
    char name[LIMIT_PEER_BYTES] = "";
    swin2sr_error fault = {""}, error = {""};
    event_hub_init(&self->events, &self->loop);
    if (!self->config.data)
        return true;
    if (!open_shared(self, name))
        return false;
    swin2sr_status status = backlog_init(&self->backlog, &self->config, &self->loop, &self->log, &self->data, &self->io,
                                         &self->pools, self->shared, name, &error);
    if (status == SWIN2SR_BUSY)
        fprintf(stderr,
                "swin2sr-server: --cluster: %s has jobs of this server alone, which would not be done; start without "
                "--cluster until they have expired, or give --data another folder\n",
                self->config.data);
    else if (status != SWIN2SR_OK && self->shared && self->shared->take_fault &&
             self->shared->take_fault(self->shared, &fault))
        fprintf(stderr, "swin2sr-server: --cluster: %s\n", fault.text);
    else if (error.text[0])
        fprintf(stderr, "swin2sr-server: %s\n", error.text);
    else if (status != SWIN2SR_OK)
        fprintf(stderr, "swin2sr-server: cannot read the jobs in the data folder: %s\n", strerror(errno));
    return status == SWIN2SR_OK;
}

static bool start(server *self) {
    self->log = (server_log){.fd = STDOUT_FILENO, .least = (log_level)self->config.log_level};
    if (drop_root(&self->config) != SWIN2SR_OK || !open_gate(self) || !open_listeners(self) || !open_data(self))
        return false;
    if (store_use_folder(&self->store, self->config.spool, self->config.reserve_bytes) != SWIN2SR_OK) {
        fprintf(stderr, "swin2sr-server: cannot write to the spool folder %s: %s\n", self->config.spool,
                strerror(errno));
        return false;
    }
    if (!loop_init(&self->loop) || !watch_signals(self) || !start_data(self) || !start_http(self)) {
        fprintf(stderr, "swin2sr-server: cannot start: %s\n", strerror(errno));
        return false;
    }
    log_listeners(self);
    warn_without_keys(self);
    pools_init(&self->pools, &self->config, &self->loop, &self->log, &self->metrics);
    memory_open(&self->memory, &self->pools, &self->config, "");
    self->levels = (degrade_set){.pools = &self->pools, .memory = &self->memory, .log = &self->log};
    self->sampling = (loop_timer){.on_due = on_sample, .context = self};
    on_sample(self);
    return start_backlog(self);
}

static bool is_over(const server *self) {
    bool is_drained = self->context.is_draining && pools_is_quiet(&self->pools) && self->io.count == 0 &&
                      backlog_is_quiet(&self->backlog) && http_is_quiet(self->http);
    return self->is_stopping || is_drained || pools_is_hopeless(&self->pools);
}

int server_run(server *self) {
    if (!start(self)) {
        listen_close(&self->listeners);
        gate_close(&self->gate);
        return 1;
    }
    while (!is_over(self)) {
        loop_step(&self->loop, http_wait_ms(self->http));
        http_step(self->http);
    }
    bool has_left_answers = !http_is_quiet(self->http); /* to clients that are slow to send or to receive */
    if (self->context.backlog)
        backlog_drain(&self->backlog); /* what the I/O thread still completes submits no more jobs */
    http_stop(self->http);
    listen_close(&self->listeners);
    pools_done(&self->pools);
    memory_close(&self->memory);
    io_stop(&self->io);
    partial_set_close(&self->partials);
    backlog_done(&self->backlog);
    if (self->shared)
        self->shared->close(self->shared);
    event_hub_done(&self->events);
    int code = self->has_left_work || has_left_answers || pools_is_hopeless(&self->pools) ? 1 : 0;
    log_event(&self->log, LOG_LEVEL_INFO, "stopped", "s:i, s:I", "exit_code", code, "log_lines_dropped",
              (long long)self->log.dropped_count);
    loop_watch_remove(&self->loop, &self->signals);
    close(self->signals.fd);
    loop_done(&self->loop);
    gate_close(&self->gate);
    data_close(&self->data);
    return code;
}
