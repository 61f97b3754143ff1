/* SPDX-License-Identifier: Apache-2.0
 * main.c - swin2sr-worker: a process that enlarges images, one at a time (stages 4 to 8 of 9).
 * In: networks by name or as open files; jobs with descriptors, from the socket that is descriptor 3.
 * Out: messages to that socket. No path is ever opened on behalf of a client.
 * Loads and tests its networks, starts its threads, enters the sandbox, sends READY for each network, then works until
 * the server closes the socket. With --device find it only names the GPUs of this machine. It is started only by
 * swin2sr-server. Exit codes: 0 the server is gone, 1 a network, a GPU or a required sandbox cannot be had (FAILED gives
 * the reason), 2 wrong usage, 3 (IPC_EXIT_LOST) the GPU was lost. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/threads.h"
#include "base/precision.h"
#include "engine/device_list.h"
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

static bool take_text(const char *text, const char **ret_text) {
    *ret_text = text;
    return true;
}

static bool parse_arguments(int argc, char **argv, networks_options *self, sandbox *ret_sandbox) {
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"precision", required_argument, NULL, 'p'},
                                            {"network", required_argument, NULL, 'n'},
                                            {"weights-fd", required_argument, NULL, 'w'},
                                            {"config-fd", required_argument, NULL, 'c'},
                                            {"sandbox", required_argument, NULL, 's'},
                                            {"device", required_argument, NULL, 'd'},
                                            {"cache-fd", required_argument, NULL, 'k'},
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
                       : option == 'd' ? take_text(optarg, &self->device)
                       : option == 'k' ? parse_file(optarg, &self->cache_fd)
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

/* Work until the server is gone, or the device is lost: the job then has no answer, and another worker does it. A CANCEL
 * that arrives here is for a job that has been answered, and is ignored.  returns the exit code. */
static int serve(const networks *self, swin2sr_threads *threads) {
    ipc_message message;
    int fds[IPC_JOB_FDS];
    while (ipc_receive(SOCKET, &message, fds, 0) == SWIN2SR_OK) {
        if (message.type == IPC_CANCEL)
            continue;
        if (message.type != IPC_JOB || message.job.network >= self->count || message.job.undamaged > self->count)
            return 0;
        ipc_message reply;
        work_run(SOCKET, self, threads, &message.job, fds, &reply);
        for (size_t i = 0; i < IPC_JOB_FDS; i++)
            close(fds[i]);
        if (networks_is_lost(self))
            return IPC_EXIT_LOST;
        if (ipc_send(SOCKET, &reply, NULL, 0) != SWIN2SR_OK)
            return 0;
    }
    return 0;
}

/* ---- GPUs ---- */

static bool find_rank(const swin2sr__device_info *info, uint32_t *ret_rank) {
    static const char *const types[] = {"discrete GPU", "integrated GPU", "virtual GPU"};
    for (uint32_t i = 0; i < sizeof types / sizeof types[0] && info->is_gpu && !info->problem; i++)
        if (strcmp(info->type, types[i]) == 0) {
            *ret_rank = i;
            return true;
        }
    return false;
}

/* Name the GPUs that can be used. Devices that compute on the processor are left out. */
static int say_devices(void) {
    swin2sr__device_info infos[SWIN2SR__MAX_DEVICES];
    size_t count = 0;
    swin2sr_error error = {"no GPU that can be used; 'swin2sr device list' says why"};
    bool is_any = false;
    swin2sr_status status = swin2sr__device_list(infos, &count, &error);
    for (size_t i = 0; i < count; i++) {
        ipc_message message = {.type = IPC_DEVICE, .device.index = (uint32_t)i};
        ipc_text_set(message.device.name, sizeof message.device.name, infos[i].name);
        if (!find_rank(&infos[i], &message.device.rank))
            continue;
        is_any = true;
        if (ipc_send(SOCKET, &message, NULL, 0) != SWIN2SR_OK)
            return 0;
    }
    return is_any ? 0 : say_cannot_start(status == SWIN2SR_OK ? SWIN2SR_UNSUPPORTED : status, &error);
}

/* ---- all together ---- */

/* A driver keeps what it has compiled in files of its own, written by threads of its own. Here they could no longer be
 * written once the worker is locked. */
static void forbid_driver_caches(void) {
    setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
    setenv("MESA_GLSL_CACHE_DISABLE", "true", 1); /* its older name */
    setenv("__GL_SHADER_DISK_CACHE", "0", 1);
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
    if (options.device)
        forbid_driver_caches();
    if (options.device && strcmp(options.device, "find") == 0)
        return say_devices();

    networks all = {.count = 0};
    swin2sr_error error = {""};
    swin2sr_threads *threads = NULL;
    int code = 0;
    swin2sr_status status = options.device ? sandbox_close_writes(&box, &error) : SWIN2SR_OK;
    if (status == SWIN2SR_OK)
        status = networks_open(&all, &options, &error);
    if (options.cache_fd > 0)
        close(options.cache_fd); /* no image can change what the next worker gives to the driver */
    if (status == SWIN2SR_OK)
        status = lock(&all, &box, options.threads, &threads, &error);
    if (status != SWIN2SR_OK)
        code = say_cannot_start(status, &error);
    else if (say_ready(&all))
        code = serve(&all, threads);
    if (code == IPC_EXIT_LOST)
        _exit(code); /* a driver that has lost its device may hang when it is closed */
    swin2sr_threads_free(threads);
    networks_done(&all);
    return code;
}
