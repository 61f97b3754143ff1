/* SPDX-License-Identifier: Apache-2.0
 * pool/worker.c - one worker process (stage 3 of 9, dispatch).
 * In: a program and its arguments.  Out: messages, and how the process ended.
 * The child inherits only these descriptors: /dev/null as standard input, the server's stderr as standard output and
 * error, its socket as 3 and, for a network from a file, the weights and their config.json. It has its own process
 * group, so that Ctrl-C reaches only the server, which then finishes the accepted work. */
#include "pool/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/limits.h"

#define CHILD_SOCKET 3
#define CHILD_WEIGHTS 4
#define CHILD_CONFIG 5 /* CHILD_WEIGHTS + 1 */
#define ARGUMENTS_MAX (16 + 2 * LIMIT_MODELS)

#define TEXT_OF_(text) #text
#define TEXT_OF(macro) TEXT_OF_(macro)

extern char **environ;

static int send_kill(int pidfd) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

static void close_all(worker *self) {
    loop_watch_remove(self->loop, &self->death);
    loop_watch_remove(self->loop, &self->messages);
    if (self->pidfd >= 0)
        close(self->pidfd);
    if (self->socket >= 0)
        close(self->socket);
    if (self->memory_fd >= 0)
        close(self->memory_fd);
    self->pidfd = self->socket = self->memory_fd = -1;
    self->pid = 0;
    self->state = WORKER_DOWN;
}

/* Handle the messages in the socket, at most LIMIT_MESSAGES, so that a worker that never stops sending does not block
 * the loop. false: the other end is closed or broken. */
static bool take_messages(worker *self) {
    for (int i = 0; i < LIMIT_MESSAGES; i++) {
        ipc_message message;
        int fds[IPC_JOB_FDS];
        swin2sr_status status = ipc_receive(self->socket, &message, fds, MSG_DONTWAIT);
        if (status == SWIN2SR_BUSY)
            return true;
        if (status == SWIN2SR_CORRUPT)
            worker_kill(self, METRICS_RESTART_PROTOCOL);
        if (status != SWIN2SR_OK)
            return false;
        if (message.type == IPC_JOB) {
            close(fds[0]);
            close(fds[1]);
        }
        self->handler->on_message(self->handler->context, self, &message);
    }
    return true;
}

/* A worker that has closed its socket should be ending. It is killed in case it is not. */
static void on_messages(void *context, uint32_t events) {
    worker *self = context;
    if (take_messages(self))
        return;
    loop_watch_remove(self->loop, &self->messages);
    send_kill(self->pidfd);
}

/* Messages that the worker sent before its end are handled first. */
static void on_death(void *context, uint32_t events) {
    worker *self = context;
    if (self->messages.is_added)
        take_messages(self);
    siginfo_t info = {.si_code = 0};
    waitid(P_PIDFD, (id_t)self->pidfd, &info, WEXITED);
    bool is_exit = info.si_code == CLD_EXITED;
    self->end_status = is_exit ? info.si_status : -info.si_status;
    if (self->end_reason == METRICS_RESTART_COUNT)
        self->end_reason = is_exit && self->device.name && self->end_status == IPC_EXIT_LOST ? METRICS_RESTART_DEVICE
                           : is_exit                                                         ? METRICS_RESTART_EXIT
                           : self->end_status == -SIGSYS                                     ? METRICS_RESTART_SECCOMP
                                                                                             : METRICS_RESTART_SIGNAL;
    close_all(self);
    self->handler->on_end(self->handler->context, self);
}

void worker_init(worker *self, event_loop *owner, const worker_handler *handler) {
    *self = (worker){.handler = handler, .loop = owner, .pidfd = -1, .socket = -1, .memory_fd = -1};
    self->death = (loop_watch){.fd = -1, .on_ready = on_death, .context = self};
    self->messages = (loop_watch){.fd = -1, .on_ready = on_messages, .context = self};
}

/* Open a file at a descriptor above those of the child, so that no dup2 in the child overwrites it. */
static int open_high(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, WORKER_FIRST_FREE_FD), error = errno;
    close(fd);
    errno = error;
    return high;
}

swin2sr_status worker_networks_open(const char *path, worker_networks *self) {
    char beside[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!path[0])
        return SWIN2SR_OK;
    self->fds[0] = open_high(path);
    if (self->fds[0] < 0)
        return SWIN2SR_IO;
    self->fd_count = 1;
    int length = snprintf(beside, sizeof beside, "%.*sconfig.json", slash ? (int)(slash + 1 - path) : 0, path);
    if (length < (int)sizeof beside && (self->fds[1] = open_high(beside)) >= 0)
        self->fd_count++;
    return SWIN2SR_OK;
}

void worker_networks_close(worker_networks *self) {
    while (self->fd_count > 0)
        close(self->fds[--self->fd_count]);
}

/* The numbers of the descriptors are passed as arguments, because a preloaded library may have opened others. */
static void add_networks(const worker_networks *networks, const char **arguments) {
    static const char *const files[] = {"--weights-fd", TEXT_OF(CHILD_WEIGHTS), "--config-fd", TEXT_OF(CHILD_CONFIG)};
    for (int i = 0; i < 2 * networks->fd_count; i++)
        *arguments++ = files[i];
    for (size_t i = 0; i < LIMIT_MODELS && networks->names[i]; i++) {
        *arguments++ = "--network";
        *arguments++ = networks->names[i];
    }
}

/* The cache gets the first descriptor behind those of the networks.  returns  The arguments that were added. */
static int add_device(const worker_device *device, const char *cache_fd, const char **arguments) {
    const char **at = arguments;
    if (device->name) {
        *at++ = "--device";
        *at++ = device->name;
    }
    if (device->name && device->cache_fd >= 0) {
        *at++ = "--cache-fd";
        *at++ = cache_fd;
    }
    return (int)(at - arguments);
}

/* returns 0 or an errno. */
static int spawn(const server_config *config, const worker_networks *networks, const worker_device *device, int socket,
                 pid_t *ret_pid) {
    static const char *const sandboxes[] = {"auto", "required", "off"};
    char threads[12], cache_fd[12];
    int next_fd = CHILD_WEIGHTS + networks->fd_count;
    bool has_cache = device->name && device->cache_fd >= 0;
    snprintf(threads, sizeof threads, "%d", (int)config->threads);
    snprintf(cache_fd, sizeof cache_fd, "%d", next_fd);
    const char *arguments[ARGUMENTS_MAX] = {config->worker,
                                            "--threads",
                                            threads,
                                            "--precision",
                                            config->precision,
                                            "--sandbox",
                                            sandboxes[config->sandbox]};
    add_networks(networks, arguments + 7 + add_device(device, cache_fd, arguments + 7));

    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, pipe_only;
    sigemptyset(&none);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe_only);
    int error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", 0, 0);
    error = error ? error : posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    error = error ? error : posix_spawn_file_actions_adddup2(&files, socket, CHILD_SOCKET);
    for (int i = 0; i < networks->fd_count && !error; i++)
        error = posix_spawn_file_actions_adddup2(&files, networks->fds[i], CHILD_WEIGHTS + i);
    if (has_cache && !error)
        error = posix_spawn_file_actions_adddup2(&files, device->cache_fd, next_fd);
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(&files, next_fd + has_cache);
    error = error ? error : posix_spawn(ret_pid, config->worker, &files, &attributes, (char **)arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* false: errno says why. */
static bool watch(worker *self) {
    self->death.fd = self->pidfd = (int)syscall(SYS_pidfd_open, self->pid, 0);
    self->messages.fd = self->socket;
    return self->pidfd >= 0 && loop_watch_add(self->loop, &self->death, EPOLLIN) &&
           loop_watch_add(self->loop, &self->messages, EPOLLIN);
}

/* Start a process with a socket to it.  errors _IO with errno set. */
static swin2sr_status spawn_with_socket(const server_config *config, const worker_networks *networks,
                                        const worker_device *device, int *ret_socket, pid_t *ret_pid) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return SWIN2SR_IO;
    int error = spawn(config, networks, device, pair[1], ret_pid);
    close(pair[1]);
    *ret_socket = pair[0];
    if (!error)
        return SWIN2SR_OK;
    close(pair[0]);
    errno = error;
    return SWIN2SR_IO;
}

swin2sr_status worker_spawn_finder(const server_config *config, int *ret_socket, pid_t *ret_pid) {
    static const worker_networks none;
    static const worker_device all = {.name = "find", .cache_fd = -1};
    return spawn_with_socket(config, &none, &all, ret_socket, ret_pid);
}

void worker_end_finder(pid_t pid) {
    kill(pid, SIGKILL); /* it may have ended, but has not been waited for, so the pid is still its own */
    waitpid(pid, NULL, 0);
}

swin2sr_status worker_start(worker *self, const server_config *config, const worker_networks *networks) {
    if (spawn_with_socket(config, networks, &self->device, &self->socket, &self->pid) != SWIN2SR_OK) {
        self->socket = -1;
        return SWIN2SR_IO;
    }
    if (!watch(self)) {
        int error = errno;
        kill(self->pid, SIGKILL);
        waitpid(self->pid, NULL, 0);
        close_all(self);
        errno = error;
        return SWIN2SR_IO;
    }
    self->state = WORKER_STARTING;
    self->is_killed = false;
    self->end_reason = METRICS_RESTART_COUNT;
    self->jobs = self->ready_count = 0;
    self->has_failed = self->device.is_unfit = false;
    return SWIN2SR_OK;
}

swin2sr_status worker_send(worker *self, const ipc_message *message, const int *fds) {
    swin2sr_status status = ipc_send(self->socket, message, fds, MSG_DONTWAIT);
    if (status != SWIN2SR_OK)
        worker_kill(self, status == SWIN2SR_IO ? METRICS_RESTART_COUNT : METRICS_RESTART_PROTOCOL);
    return status;
}

/* statm and not smaps_rollup: the kernel keeps its numbers and does not walk the page tables, which takes milliseconds
 * and stops the process meanwhile; and it may be read although the worker is not dumpable. The descriptor belongs to this
 * process and never shows another one that reuses the pid. */
void worker_watch_memory(worker *self) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)self->pid);
    self->memory_fd = open(path, O_RDONLY | O_CLOEXEC);
    self->memory_bytes = 0;
    worker_measure(self);
    self->baseline_bytes = self->memory_bytes;
}

void worker_measure(worker *self) {
    char text[128];
    unsigned long long resident, shared;
    bool is_alive = self->memory_fd >= 0 && !self->is_killed; /* the memory of a dying process says nothing */
    ssize_t size = is_alive ? pread(self->memory_fd, text, sizeof text - 1, 0) : 0;
    text[size > 0 ? size : 0] = '\0';
    if (sscanf(text, "%*u %llu %llu", &resident, &shared) == 2 && resident > shared)
        self->memory_bytes = (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void worker_kill(worker *self, metrics_restart reason) {
    if (self->state == WORKER_DOWN || self->is_killed)
        return;
    self->is_killed = true;
    self->end_reason = reason;
    send_kill(self->pidfd);
}

void worker_done(worker *self) {
    loop_timer_clear(self->loop, &self->timer);
    if (self->state == WORKER_DOWN)
        return;
    send_kill(self->pidfd);
    siginfo_t info;
    waitid(P_PIDFD, (id_t)self->pidfd, &info, WEXITED);
    close_all(self);
}
