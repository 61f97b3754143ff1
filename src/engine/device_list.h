/* SPDX-License-Identifier: Apache-2.0
 * engine/device_list.h - the devices besides the CPU that this machine has, and what is known of each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define SWIN2SR__MAX_DEVICES 16

typedef struct swin2sr__device_info {
    char name[256];
    char driver[320]; /* name and version */
    const char *type; /* "discrete GPU", "integrated GPU", "virtual GPU", "software", "other" */
    bool is_gpu;      /* not software: what `auto` may take */
    uint32_t api_major, api_minor;
    uint64_t memory_bytes; /* of its own, or shared with the host */
    bool has_fp16;         /* half floats in memory, which is what precision fp16 needs */
    bool has_int8, has_matrix, has_budget;
    int32_t max_head;    /* channels of a head of the networks that it can run */
    const char *problem; /* why it cannot be used; NULL: it can */
} swin2sr__device_info;

/* List the devices besides the CPU.
 * errors  _UNSUPPORTED: this build has none, or no driver is installed; the detail says which. */
swin2sr_status swin2sr__device_list(swin2sr__device_info infos[SWIN2SR__MAX_DEVICES], size_t *ret_count,
                                    swin2sr_error *reterr);
