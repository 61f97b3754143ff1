/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/cache.h - kernels that the driver has compiled, kept in a file between starts.
 * In: a file that the caller has opened.  Out: what the driver starts from, and afterwards the new content of the file. */
#pragma once

#include "engine/vulkan/gpu.h"

#define SWIN2SR__VK_CACHE_MAX_BYTES (64 << 20)

typedef enum swin2sr__vk_cache_state {
    SWIN2SR__VK_CACHE_NONE,  /* the caller has no file, or it is empty */
    SWIN2SR__VK_CACHE_USED,  /* its content was given to the driver */
    SWIN2SR__VK_CACHE_OTHER, /* it is of another device, or of another version of the driver */
    SWIN2SR__VK_CACHE_DAMAGED
} swin2sr__vk_cache_state;

typedef struct swin2sr__vk_cache {
    VkPipelineCache cache; /* VK_NULL_HANDLE: none */
    swin2sr__vk_cache_state state;
    uint32_t crc; /* of what was read, 0 if it was not used */
} swin2sr__vk_cache;

/* Read the file. Whatever is wrong with it, the driver then starts from nothing.
 * fd  Open for reading; 0: there is no file. Its offset is not used. */
void swin2sr__vk_cache_open(const swin2sr__vk_gpu *gpu, int fd, swin2sr__vk_cache *ret_cache);
/* Once all pipelines exist: replace the content of the file if the driver has added to it, and free the cache. A file that
 * cannot be written is no failure. */
void swin2sr__vk_cache_close(const swin2sr__vk_gpu *gpu, int fd, swin2sr__vk_cache *cache);
