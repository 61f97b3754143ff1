/* SPDX-License-Identifier: Apache-2.0
 * pool/devices.c - the GPUs on which workers compute (stage 3 of 9, dispatch).
 * In: the value of --device; what a worker process finds on this machine; ends of workers.  Out: names; whether a device
 * is to be set aside. */
#include "pool/devices.h"

#include <poll.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "pool/worker.h"

#define RANK_NONE UINT32_MAX

/* Take a GPU of the best rank so far; the first of a better rank replaces all others. */
static void take(device_list *self, uint32_t *rank, const ipc_device *found) {
    if (found->rank > *rank)
        return;
    self->count = found->rank < *rank ? 0 : self->count;
    *rank = found->rank;
    if (self->count < LIMIT_DEVICES)
        snprintf(self->names[self->count++], LIMIT_DEVICE_NAME_BYTES, "vulkan:%u", (unsigned int)found->index % 100);
}

/* Take what the worker says until it has ended, or until the time is over. */
static void listen_to(device_list *self, int socket) {
    uint64_t end_us = swin2sr__clock_us() + LIMIT_DEVICE_FIND_S * UINT64_C(1000000), now_us;
    uint32_t rank = RANK_NONE;
    struct pollfd wait = {.fd = socket, .events = POLLIN};
    snprintf(self->fault, sizeof self->fault, "the search for GPUs did not end; a driver does not answer");
    while ((now_us = swin2sr__clock_us()) < end_us && poll(&wait, 1, (int)((end_us - now_us) / 1000) + 1) >= 0) {
        ipc_message message;
        int fds[IPC_JOB_FDS];
        swin2sr_status status = ipc_receive(socket, &message, fds, MSG_DONTWAIT);
        if (status == SWIN2SR_BUSY)
            continue;
        if (status != SWIN2SR_OK) {
            snprintf(self->fault, sizeof self->fault, "the search for GPUs ended early: a driver has crashed");
            return;
        }
        if (message.type == IPC_DEVICE)
            take(self, &rank, &message.device);
        if (message.type == IPC_FAILED) {
            snprintf(self->fault, sizeof self->fault, "%s", message.failed.detail);
            return;
        }
    }
}

/* Above the descriptors of a worker, so that no dup2 in it overwrites this one.  returns  -1: there is none. */
static int open_cache(const char *data, const char *device) {
    char path[4200];
    snprintf(path, sizeof path, "%s/gpu-cache-%.*s-%s", data ? data : "", (int)strcspn(device, ":"), device,
             device + strcspn(device, ":") + 1);
    int fd = data ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd < 0)
        fd = memfd_create("gpu-cache", MFD_CLOEXEC);
    int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, WORKER_FIRST_FREE_FD) : -1;
    if (fd >= 0)
        close(fd);
    return high;
}

void devices_close(device_list *self) {
    for (int i = 0; i < self->count; i++)
        if (self->cache_fds[i] >= 0)
            close(self->cache_fds[i]);
    self->count = 0;
}

/* Ask a worker process. */
static void find_all(device_list *self, const server_config *config) {
    int socket;
    pid_t pid;
    if (worker_spawn_finder(config, &socket, &pid) != SWIN2SR_OK) {
        snprintf(self->fault, sizeof self->fault, "the search for GPUs could not be started");
        return;
    }
    listen_to(self, socket);
    close(socket);
    worker_end_finder(pid);
    if (self->count > 0)
        self->fault[0] = '\0';
}

void devices_find(device_list *self, const server_config *config) {
    const device_choice *choice = &config->devices;
    *self = (device_list){.count = choice->count};
    memcpy(self->names, choice->names, sizeof self->names);
    if (choice->is_auto)
        find_all(self, config);
    for (int i = 0; i < self->count; i++)
        self->cache_fds[i] = open_cache(config->data, self->names[i]);
}

bool device_note_loss(worker_device *self, uint64_t now_us) {
    memmove(self->losses_us + 1, self->losses_us, sizeof self->losses_us - sizeof self->losses_us[0]);
    self->losses_us[0] = now_us;
    self->loss_count++;
    self->losses_in_a_row++;
    uint64_t first_us = self->losses_us[LIMIT_DEVICE_LOSSES - 1];
    bool is_often = first_us > 0 && now_us - first_us <= LIMIT_DEVICE_WINDOW_S * UINT64_C(1000000);
    return is_often || self->losses_in_a_row >= LIMIT_DEVICE_LOSSES;
}
