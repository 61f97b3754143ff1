/* SPDX-License-Identifier: Apache-2.0
 * main.c - swin2sr-worker: one process that enlarges images, one at a time (stages 4 to 8 of 9).
 * In: weights, open as descriptor 4 (5: their config.json; no 4: those inside the program), and jobs with descriptors, on the socket that is descriptor 3.
 * Out: messages there; never paths, never other files.
 * Loads its network, tests itself, says READY, then works until the server closes the socket. Started by
 * swin2sr-server only. Exit codes: 0 the server is gone, 1 the network cannot be used (FAILED said why), 2 wrong usage. */
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

#include "base/cores.h"
#include "ipc/ipc.h"
#include "self_test.h"
#include "work.h"
#include <swin2sr/swin2sr.h>

#define SOCKET 3
#define WEIGHTS 4
#define CONFIG 5
#define THREADS_MAX 256

typedef struct arguments {
    int32_t threads;
    swin2sr_precision precision;
} arguments;

static const char *const precision_names[SWIN2SR_PRECISION_COUNT] = {"auto", "fp32", "bf16", "int8"};

static bool parse_precision(const char *text, swin2sr_precision *ret_precision) {
    for (int i = 0; i < SWIN2SR_PRECISION_COUNT; i++)
        if (strcmp(text, precision_names[i]) == 0) {
            *ret_precision = (swin2sr_precision)i;
            return true;
        }
    return false;
}

static bool parse_threads(const char *text, int32_t *ret_threads) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 1 || value > THREADS_MAX)
        return false;
    *ret_threads = (int32_t)value;
    return true;
}

static bool parse_arguments(int argc, char **argv, arguments *ret_arguments) {
    static const struct option options[] = {
        {"threads", required_argument, NULL, 't'}, {"precision", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
    *ret_arguments = (arguments){.threads = swin2sr__cores_usable()};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        bool is_good = option == 't'   ? parse_threads(optarg, &ret_arguments->threads)
                       : option == 'p' ? parse_precision(optarg, &ret_arguments->precision)
                                       : false;
        if (!is_good)
            return false;
    }
    return optind == argc;
}

static bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

static bool is_socket(int fd) {
    struct stat file;
    return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode);
}

/* When memory runs out, a worker is what the kernel shall end: its request is tried again, the server's are not. */
static void offer_to_die_first(void) {
    FILE *file = fopen("/proc/self/oom_score_adj", "we");
    if (!file)
        return;
    fputs("900", file);
    fclose(file);
}

/* The resident set, in bytes; 0 where the system does not say. */
static uint64_t resident_bytes(void) {
    unsigned long long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static swin2sr_status open_model(const arguments *args, bool is_plain, swin2sr_model **ret_model,
                                 swin2sr_error *reterr) {
    swin2sr_model_options options = {.precision = args->precision, .is_plain = is_plain};
    if (!is_open(WEIGHTS))
        return swin2sr_model_open_default(&options, ret_model, reterr);
    return swin2sr_model_open_fd(WEIGHTS, is_open(CONFIG) ? CONFIG : -1, NULL, &options, ret_model, reterr);
}

/* Is the network right here, and what does it cost? Fills in those fields of READY. */
static swin2sr_status test_model(const arguments *args, swin2sr_model *model, ipc_ready *ready, swin2sr_error *reterr) {
    swin2sr_status status;
    bool has_golden = self_test_has_golden(model);
    if (has_golden) {
        status = self_test_golden(model, args->threads, reterr);
    } else {
        swin2sr_model *plain;
        status = open_model(args, true, &plain, reterr);
        if (status != SWIN2SR_OK)
            return status;
        status = self_test_plain(model, plain, args->threads, reterr);
        swin2sr_model_unref(plain);
    }
    ipc_text_set(ready->check, sizeof ready->check, has_golden ? "golden" : "plain");
    return status == SWIN2SR_OK ? self_test_measure(model, args->threads, ready, reterr) : status;
}

static bool say_ready(const swin2sr_model *model, const ipc_ready *tested) {
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    ipc_message message = {.type = IPC_READY, .ready = *tested};
    ipc_ready *ready = &message.ready;
    ipc_text_set(ready->sha256, sizeof ready->sha256, info->sha256);
    ipc_text_set(ready->license, sizeof ready->license, info->license);
    ipc_text_set(ready->kernels, sizeof ready->kernels, info->kernels);
    ipc_text_set(ready->precision, sizeof ready->precision, precision_names[info->precision]);
    ready->scale = (uint32_t)info->scale;
    ready->parameters = info->parameters;
    ready->memory_bytes = resident_bytes();
    return ipc_send(SOCKET, &message, NULL, 0) == SWIN2SR_OK;
}

static int say_cannot_start(swin2sr_status status, const swin2sr_error *error) {
    ipc_message message = {.type = IPC_FAILED, .failed.status = status};
    ipc_text_set(message.failed.detail, sizeof message.failed.detail, error->text);
    return ipc_send(SOCKET, &message, NULL, 0) == SWIN2SR_OK ? 1 : 0;
}

/* Work until the server is gone. A CANCEL that crossed the job's answer is late and means nothing. */
static void serve(swin2sr_model *model, int32_t threads) {
    ipc_message message;
    int fds[IPC_JOB_FDS];
    while (ipc_receive(SOCKET, &message, fds, 0) == SWIN2SR_OK) {
        if (message.type == IPC_CANCEL)
            continue;
        if (message.type != IPC_JOB)
            return;
        ipc_message reply;
        work_run(SOCKET, model, threads, &message.job, fds, &reply);
        close(fds[0]);
        close(fds[1]);
        if (ipc_send(SOCKET, &reply, NULL, 0) != SWIN2SR_OK)
            return;
    }
}

int main(int argc, char **argv) {
    arguments args;
    if (!is_socket(SOCKET) || !parse_arguments(argc, argv, &args)) {
        fprintf(stderr, "swin2sr-worker: started by swin2sr-server, not by hand\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* where the server died before this, the socket's end says so */
    signal(SIGPIPE, SIG_IGN);
    offer_to_die_first();

    swin2sr_model *model = NULL;
    swin2sr_error error = {""};
    ipc_ready tested = {.license = ""};
    swin2sr_status status = open_model(&args, false, &model, &error);
    if (status == SWIN2SR_OK)
        status = test_model(&args, model, &tested, &error);
    if (status != SWIN2SR_OK) {
        swin2sr_model_unref(model);
        return say_cannot_start(status, &error);
    }
    if (say_ready(model, &tested))
        serve(model, args.threads);
    swin2sr_model_unref(model);
    return 0;
}
