/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/gpu.h - the Vulkan devices of this machine, and one of them, opened for compute.
 * In: an index.  Out: a queue, a command buffer, buffers of memory. */
#pragma once

#include <stddef.h>

#include "engine/vulkan/api.h"
#include "engine/device_list.h"

/* Every part of a buffer begins at a multiple of this; no device may ask for more. */
#define SWIN2SR__VK_ALIGN 256

/* Attention keeps keys and values of a window of 64 tokens in the shared memory of a workgroup, which is 30 KiB for the
 * largest heads (shaders/attention.comp). The other kernels need at most 8 KiB, and every device has 16. */
#define SWIN2SR__VK_MAX_HEAD 60

static inline uint32_t swin2sr__vk_shared_bytes(int32_t head) {
    return 2 * 64 * (uint32_t)((head + 3) / 4 * 4) * (uint32_t)sizeof(float);
}

/* What must be equal for kernels that a driver has compiled to be used again. */
typedef struct swin2sr__vk_identity {
    uint32_t vendor, device, driver;
    uint8_t uuid[VK_UUID_SIZE];
} swin2sr__vk_identity;

/* One opened device. Used by one thread at a time. */
typedef struct swin2sr__vk_gpu {
    swin2sr__vk_api api;
    swin2sr__device_info info;
    swin2sr__vk_identity identity;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    uint32_t family;
    uint32_t shared_bytes; /* of a workgroup */
    size_t range_bytes;    /* the most that a kernel can see through one binding */
    size_t memory_bytes;   /* the most that one image may take */
    VkPhysicalDeviceMemoryProperties memory;
    bool
        is_stuck; /* it has not finished in time and may still use its memory, so that nothing of it is freed any more */
} swin2sr__vk_gpu;

typedef struct swin2sr__vk_buffer {
    VkBuffer buffer;
    VkDeviceMemory memory;
    unsigned char *mapped; /* NULL: only the device reads it */
    size_t bytes;
} swin2sr__vk_buffer;

/* Commands that run together, and the fence that says when they are done. */
typedef struct swin2sr__vk_commands {
    VkCommandPool pool;
    VkCommandBuffer buffer;
    VkFence fence;
} swin2sr__vk_commands;

/* List up to `capacity` devices, in the order of the loader: device N of "vulkan:N".
 * errors  _UNSUPPORTED: there is no Vulkan here, or no device. */
swin2sr_status swin2sr__vk_list(swin2sr__device_info *infos, size_t capacity, size_t *ret_count, swin2sr_error *reterr);

/* Open a device.
 * index   As in the list; -1: the first that is a real GPU and can run the network.
 * head    Channels of a head of the network.
 * errors  _INVALID: there are fewer devices; _UNSUPPORTED: there is none, or it cannot run the kernels; _NOMEM. */
swin2sr_status swin2sr__vk_gpu_open(swin2sr__vk_gpu *ret_gpu, int32_t index, int32_t head, swin2sr_error *reterr);
void swin2sr__vk_gpu_close(swin2sr__vk_gpu *gpu);

/* Allocate a buffer. is_mapped: the host reads and writes it; else it is in the device's own memory. */
VkResult swin2sr__vk_buffer_new(const swin2sr__vk_gpu *gpu, size_t bytes, bool is_mapped,
                                swin2sr__vk_buffer *ret_buffer);
void swin2sr__vk_buffer_free(const swin2sr__vk_gpu *gpu, swin2sr__vk_buffer *buffer);

/* What the driver says of the heap of the device's own memory. */
typedef struct swin2sr__vk_budget {
    uint64_t all_bytes,
        used_bytes; /* of this process: what it may take with what it has taken, and what it has taken */
} swin2sr__vk_budget;

/* Ask the driver, which knows what other programs have taken.  returns  false: it does not tell. */
bool swin2sr__vk_budget_ask(const swin2sr__vk_gpu *gpu, swin2sr__vk_budget *ret_budget);

VkResult swin2sr__vk_commands_new(const swin2sr__vk_gpu *gpu, swin2sr__vk_commands *ret_commands);
void swin2sr__vk_commands_free(const swin2sr__vk_gpu *gpu, swin2sr__vk_commands *commands);
/* Begin to record; forgets what was recorded before. */
VkResult swin2sr__vk_commands_begin(const swin2sr__vk_gpu *gpu, swin2sr__vk_commands *commands);
/* Run what was recorded and wait until it is done. VK_TIMEOUT: a GPU takes more than a minute, and is stuck. A device of
 * software has all the time that it needs, because the processor may be busy. */
VkResult swin2sr__vk_commands_run(swin2sr__vk_gpu *gpu, swin2sr__vk_commands *commands);
