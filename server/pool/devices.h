/* SPDX-License-Identifier: Apache-2.0
 * pool/devices.h - the GPUs on which workers compute, and when one is set aside (stage 3 of 9, dispatch).
 * The server knows of Vulkan only what workers report. A GPU whose worker ends again and again is not used for a while;
 * each pool decides that for itself. */
#pragma once

#include "config/config.h"
#include "ipc/ipc.h"

/* The devices of --device, for all pools. */
typedef struct device_list {
    char names[LIMIT_DEVICES][LIMIT_DEVICE_NAME_BYTES]; /* "vulkan:N" */
    int cache_fds[LIMIT_DEVICES];                       /* files of the kernels that drivers have compiled; -1: none */
    int count;                                          /* 0: the CPU */
    char fault[LIMIT_FAULT_BYTES];                      /* why auto has found none; "": it has, or did not look */
} device_list;

/* The device of one worker. */
typedef struct worker_device {
    const char *name;                              /* NULL: the CPU. Borrowed, as is the next one */
    int cache_fd;                                  /* as in device_list */
    char title[sizeof(((ipc_ready *)0)->device)];  /* "NVIDIA L4"; "": it was never ready */
    char driver[sizeof(((ipc_ready *)0)->driver)]; /* with its version */
    uint64_t losses_us[LIMIT_DEVICE_LOSSES];       /* swin2sr__clock_us of the last ones, newest first */
    uint64_t loss_count;                           /* since the server was started */
    uint32_t losses_in_a_row;                      /* without a finished job between them */
    bool is_unfit;                                 /* its worker has reported why it cannot be used */
    bool is_aside;                                 /* not used, but tried again from time to time */
    char fault[LIMIT_FAULT_BYTES];                 /* the last one; "": it is at work */
} worker_device;

/* Find the devices that the config names, and open a file for the compiled kernels of each: in --data, so that they
 * outlive the server, where that folder can be written, else in memory. For "auto", a worker process is asked, which may take LIMIT_DEVICE_FIND_S; of
 * several GPUs, those of the best kind are taken: cards of their own, else parts of the processor, else virtual ones. */
void devices_find(device_list *self, const server_config *config);
void devices_close(device_list *self);

/* Note that the worker of a device has ended and that the device may be the cause.
 * returns  true: it is to be set aside, after so many within a minute or without a finished job. */
bool device_note_loss(worker_device *self, uint64_t now_us);
