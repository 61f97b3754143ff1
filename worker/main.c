/* SPDX-License-Identifier: Apache-2.0
 * main.c - swin2sr-worker: a process that enlarges images, one at a time (stages 4 to 8 of 9).
 * In: networks by name or as open files; jobs with descriptors, from the socket that is descriptor 3.
 * Out: messages to that socket. No path is ever opened on behalf of a client.
 * Loads and tests its networks, starts its threads, enters the sandbox, sends READY for each network, then works until
 * the server closes the socket. It is started only by swin2sr-server. Exit codes: 0 the server is gone, 1 a network or a
 * required sandbox cannot be had (FAILED gives the reason), 2 wrong usage. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/threads.h"
#include "base/precision.h"
#include "sandbox.h"
#include "worker.h"

#define SOCKET 3
#define THREADS_MAX 256

static bool parse_precision(const char *text, swin2sr_precision *ret_precision) {
    int found = swin2sr__precision_find(text);
    if (found >= 0)
        *ret_precision = (swin2sr_precision)found;
    return found >= 0;
}

static bool parse_number(const char *text, int32_t low, int32_t high, int32_t *ret_number) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return false;
    *ret_number = (int32_t)value;
    return true;
}

static bool parse_file(const char *text, int *ret_fd) {
    return parse_number(text, SOCKET + 1, INT32_MAX, ret_fd) && fcntl(*ret_fd, F_GETFD) >= 0;
}

static bool add_name(networks_options *self, const char *name) {
    if (self->name_count == IPC_NETWORKS_MAX)
        return false;
    self->names[self->name_count++] = name;
    return true;
}

static bool parse_arguments(int argc, char **argv, networks_options *self, sandbox *ret_sandbox) {
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"precision", required_argument, NULL, 'p'},
                                            {"network", required_argument, NULL, 'n'},
                                            {"weights-fd", required_argument, NULL, 'w'},
                                            {"config-fd", required_argument, NULL, 'c'},
                                            {"sandbox", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    *ret_sandbox = (sandbox){.mode = SANDBOX_AUTO};
    *self = (networks_options){.threads = swin2sr__cores_usable(), .weights_fd = -1, .config_fd = -1};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        bool is_good = option == 't'   ? parse_number(optarg, 1, THREADS_MAX, &self->threads)
                       : option == 'p' ? parse_precision(optarg, &self->precision)
                       : option == 'n' ? add_name(self, optarg)
                       : option == 'w' ? parse_file(optarg, &self->weights_fd)
                       : option == 'c' ? parse_file(optarg, &self->config_fd)
                       : option == 's' ? sandbox_mode_find(optarg, &ret_sandbox->mode)
                                       : false;
        if (!is_good)
            return false;
    }
    return optind == argc && !(self->name_count && self->weights_fd >= 0);
}

static bool is_socket(int fd) {
    struct stat file;
    return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode);
}

/* When memory runs out, the kernel should kill a worker, whose job is tried again, and not the server. */
static void prefer_as_oom_victim(void) {
    FILE *file = fopen("/proc/self/oom_score_adj", "we");
    if (!file)
        return;
    fputs("900", file);
    fclose(file);
}

static bool say_ready(const networks *self) {
    bool is_said = true;
    for (uint32_t i = 0; i < self->count && is_said; i++) {
        ipc_message message = {.type = IPC_READY, .ready = self->facts[i]};
        is_said = ipc_send(SOCKET, &message, NULL, 0) == SWIN2SR_OK;
    }
    return is_said;
}

static int say_cannot_start(swin2sr_status status, const swin2sr_error *error) {
    ipc_message message = {.type = IPC_FAILED, .failed.status = status};
    ipc_text_set(message.failed.detail, sizeof message.failed.detail, error->text);
    return ipc_send(SOCKET, &message, NULL, 0) == SWIN2SR_OK ? 1 : 0;
}

/* Work until the server is gone. A CANCEL that arrives here is for a job that has been answered, and is ignored. */
static void serve(const networks *self, swin2sr_threads *threads) {
    ipc_message message;
    int fds[IPC_JOB_FDS];
    while (ipc_receive(SOCKET, &message, fds, 0) == SWIN2SR_OK) {
        if (message.type == IPC_CANCEL)
            continue;
        if (message.type != IPC_JOB || message.job.network >= self->count || message.job.undamaged > self->count)
            return;
        ipc_message reply;
        work_run(SOCKET, self, threads, &message.job, fds, &reply);
        for (size_t i = 0; i < IPC_JOB_FDS; i++)
            close(fds[i]);
        if (ipc_send(SOCKET, &reply, NULL, 0) != SWIN2SR_OK)
            return;
    }
}

/* Start the threads for all jobs and lock this process. */
static swin2sr_status lock(networks *self, sandbox *box, int32_t thread_count, swin2sr_threads **ret_threads,
                           swin2sr_error *reterr) {
    swin2sr_status status = sandbox_close_paths(box, reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr_threads_new(thread_count, ret_threads, reterr);
    if (status == SWIN2SR_OK)
        status = sandbox_close_calls(box, SOCKET, reterr);
    char text[SANDBOX_TEXT_BYTES];
    sandbox_describe(box, text, sizeof text);
    for (uint32_t i = 0; i < self->count; i++)
        ipc_text_set(self->facts[i].sandbox, sizeof self->facts[i].sandbox, text);
    return status;
}

int main(int argc, char **argv) {
    networks_options options;
    sandbox box;
    if (!is_socket(SOCKET) || !parse_arguments(argc, argv, &options, &box)) {
        fprintf(stderr, "swin2sr-worker: can be started only by swin2sr-server\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* if the server died before this call, the socket is closed */
    signal(SIGPIPE, SIG_IGN);
    prefer_as_oom_victim();

    networks all = {.count = 0};
    swin2sr_error error = {""};
    swin2sr_threads *threads = NULL;
    int code = 0;
    swin2sr_status status = networks_open(&all, &options, &error);
    if (status == SWIN2SR_OK)
        status = lock(&all, &box, options.threads, &threads, &error);
    if (status != SWIN2SR_OK)
        code = say_cannot_start(status, &error);
    else if (say_ready(&all))
        serve(&all, threads);
    swin2sr_threads_free(threads);
    networks_done(&all);
    return code;
}
