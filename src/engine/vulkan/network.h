/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/network.h - a network in the memory of a Vulkan device, with its kernels; immutable, shared by engines.
 * One buffer holds all weights, each layer in the order that its kernel reads (shaders/). */
#pragma once

#include <pthread.h>

#include "engine/engine.h"
#include "engine/vulkan/cache.h"
#include "model/fold.h"

#define SWIN2SR__VK_BINDINGS 6

typedef enum swin2sr__vk_kernel {
    SWIN2SR__VK_CONV,
    SWIN2SR__VK_LINEAR,
    SWIN2SR__VK_NORM,
    SWIN2SR__VK_ATTENTION,
    SWIN2SR__VK_PIXELS,
    SWIN2SR__VK_BICUBIC,
    SWIN2SR__VK_KERNELS
} swin2sr__vk_kernel;

/* Pipelines of one kernel by what its buffers hold: bit 0, the first input is halves; bit 1, the second; bit 2, the
 * output. */
#define SWIN2SR__VK_VARIANTS 8

/* Where the weights of a layer lie. */
typedef struct swin2sr__vk_layer {
    size_t offset, bytes;
    size_t plain, products; /* floats, and then weights of products, which may be halves */
    int32_t outputs;
    int32_t channels[2]; /* of a convolution's planes; [0]: inputs of a linear layer */
} swin2sr__vk_layer;

typedef struct swin2sr__vk_block {
    swin2sr__vk_layer attention, proj, fc1, fc2, norm1, norm2;
} swin2sr__vk_block;

typedef struct swin2sr__vk_narrow {
    swin2sr__vk_layer conv, point;
} swin2sr__vk_narrow;

typedef struct swin2sr__vk_network {
    swin2sr__packed packed;
    swin2sr__vk_gpu gpu;
    pthread_mutex_t mutex; /* one engine submits at a time */
    bool is_half;          /* weights and inputs of products are halves */
    int cache_fd;          /* during the pack; 0: none */
    swin2sr__vk_cache cache;
    swin2sr__vk_buffer weights;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipelines[SWIN2SR__VK_KERNELS][SWIN2SR__VK_VARIANTS];
    swin2sr__vk_layer embed, embed_norm, final_norm, after_body, cubic;
    swin2sr__vk_layer stages[SWIN2SR__MAX_STAGES];
    swin2sr__vk_layer convs[SWIN2SR__MAX_GROUPS];
    swin2sr__vk_narrow narrows[SWIN2SR__MAX_GROUPS + 1]; /* the last one used is that of the body */
    swin2sr__vk_block blocks[SWIN2SR__MAX_GROUPS][SWIN2SR__MAX_DEPTH];
} swin2sr__vk_network;

/* The first and the last step of a pack: pipelines. */
VkResult swin2sr__vk_pipelines_new(swin2sr__vk_network *network);
void swin2sr__vk_pipelines_free(swin2sr__vk_network *network);

/* options->device names the device: "vulkan", "vulkan:N", "auto". */
swin2sr_status swin2sr__vk_pack(const swin2sr__network *network, const swin2sr__weights *weights,
                                const swin2sr_model_options *options, swin2sr__packed **ret_packed,
                                swin2sr_error *reterr);
void swin2sr__vk_unpack(swin2sr__packed *packed);
