/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/network.c - pack a network for the kernels, once, when a model is opened.
 * The same walk over the layers runs twice on an arena of the host: to count, and to fold and pack. The arena then goes
 * to the device in one copy. A failure stays in the folds, and the rest of the walk then has no effect. */
#include "engine/vulkan/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/half.h"
#include "base/memory.h"

#define MAX_WINDOW_PX 8 /* an invocation of 64 for each token */
#define CONV_OUTPUTS 32 /* of a tile; see shaders/ */
#define CONV_INPUTS 4
#define LINEAR_OUTPUTS 64
#define LINEAR_INPUTS 12

typedef struct packer {
    swin2sr__vk_network *network;
    swin2sr__folds folds;
    swin2sr__arena memory;
    float *scratch; /* of a half network: a layer before it is rounded */
    size_t scratch_floats;
} packer;

static int32_t rounded(int32_t n, int32_t unit) {
    return (n + unit - 1) / unit * unit;
}

/* Where to write a layer: `plain` floats, and then the weights of products, all of them zeros. NULL while counting. */
static float *take_room(packer *p, size_t plain, size_t products, swin2sr__vk_layer *layer) {
    bool is_half = p->network->is_half;
    size_t bytes = plain * sizeof(float) + products * (is_half ? sizeof(uint16_t) : sizeof(float));
    size_t count = (bytes + SWIN2SR__VK_ALIGN - 1) / SWIN2SR__VK_ALIGN;
    layer->offset = p->memory.used;
    layer->bytes = count * SWIN2SR__VK_ALIGN;
    layer->plain = plain;
    layer->products = products;
    float *room = swin2sr__arena_take(&p->memory, count, SWIN2SR__VK_ALIGN);
    if (is_half && plain + products > p->scratch_floats)
        p->scratch_floats = plain + products;
    if (!room || !is_half)
        return room;
    memset(p->scratch, 0, (plain + products) * sizeof *room);
    return p->scratch;
}

/* A layer is complete: in a half network its products are rounded. */
static swin2sr__vk_layer settle(packer *p, const swin2sr__vk_layer *layer) {
    if (p->memory.base && p->network->is_half) {
        unsigned char *to = (unsigned char *)p->memory.base + layer->offset;
        memcpy(to, p->scratch, layer->plain * sizeof(float));
        to += layer->plain * sizeof(float);
        for (size_t i = 0; i < layer->products; i++, to += sizeof(uint16_t)) {
            uint16_t half = swin2sr__half_of_float(p->scratch[layer->plain + i]);
            memcpy(to, &half, sizeof half);
        }
    }
    return *layer;
}

/* A linear layer: bias, then tiles [N / 64][K][64]. */
static swin2sr__vk_layer pack_linear(packer *p, swin2sr__layer layer) {
    int32_t K = layer.channels[0], N = layer.outputs, all = rounded(N, LINEAR_OUTPUTS),
            k_all = rounded(K, LINEAR_INPUTS);
    swin2sr__vk_layer packed = {.outputs = N, .channels = {K}};
    float *room = take_room(p, (size_t)all, (size_t)all * (size_t)k_all, &packed);
    for (int32_t n = 0; room && layer.weights && n < N; n++) {
        float *tile = room + all + (size_t)(n / LINEAR_OUTPUTS) * (size_t)(k_all * LINEAR_OUTPUTS) + n % LINEAR_OUTPUTS;
        room[n] = layer.bias[n];
        for (int32_t k = 0; k < K; k++)
            tile[k * LINEAR_OUTPUTS] = layer.weights[(size_t)n * (size_t)K + (size_t)k];
    }
    return settle(p, &packed);
}

/* A convolution: bias, then tiles [N / 32][channels][9][32]; each plane's channels are rounded up. */
static swin2sr__vk_layer pack_conv(packer *p, swin2sr__layer layer) {
    int32_t N = layer.outputs, all = rounded(N, CONV_OUTPUTS), channels = 0;
    swin2sr__vk_layer packed = {.outputs = N,
                                .channels = {layer.channels[0], layer.planes > 1 ? layer.channels[1] : 0}};
    for (int32_t i = 0; i < layer.planes; i++)
        channels += rounded(layer.channels[i], CONV_INPUTS);
    float *room = take_room(p, (size_t)all, (size_t)all * (size_t)(9 * channels), &packed);
    const float *from = layer.weights;
    for (int32_t n = 0; room && from && n < N; n++) {
        float *tile =
            room + all + (size_t)(n / CONV_OUTPUTS) * (size_t)(channels * 9 * CONV_OUTPUTS) + n % CONV_OUTPUTS;
        room[n] = layer.bias[n];
        for (int32_t i = 0; i < layer.planes; i++) {
            for (int32_t j = 0; j < 9 * layer.channels[i]; j++) { /* [ky][c][kx] */
                int32_t ky = j / (3 * layer.channels[i]), c = j / 3 % layer.channels[i];
                tile[(c * 9 + ky * 3 + j % 3) * CONV_OUTPUTS] = *from++;
            }
            tile += rounded(layer.channels[i], CONV_INPUTS) * 9 * CONV_OUTPUTS;
        }
    }
    return settle(p, &packed);
}

static swin2sr__vk_layer pack_norm(packer *p, swin2sr__norm norm) {
    int32_t C = p->folds.network->config.dim, all = rounded(C, 4);
    swin2sr__vk_layer packed = {.outputs = C, .channels = {C}};
    float *room = take_room(p, 2 * (size_t)all, 0, &packed);
    if (room && norm.gamma && norm.beta) {
        memcpy(room, norm.gamma, (size_t)C * sizeof *room);
        memcpy(room + all, norm.beta, (size_t)C * sizeof *room);
    }
    return settle(p, &packed);
}

/* Of all heads scale, bias of q and position bias; then of all heads q, k, v as [C][D]. */
static swin2sr__vk_layer pack_attention(packer *p, swin2sr__attention attention) {
    const swin2sr__config *config = &p->folds.network->config;
    int32_t C = config->dim, D = C / config->heads, all = rounded(D, 4), side = 2 * config->window_px - 1;
    int32_t plain = 4 + all + rounded(side * side, 4), products = 3 * C * all;
    swin2sr__vk_layer packed = {.outputs = C, .channels = {C}};
    float *room = take_room(p, (size_t)(config->heads * plain), (size_t)(config->heads * products), &packed);
    bool is_reading = room && attention.qkv.weights && attention.position && attention.scale;
    for (int32_t a = 0; is_reading && a < config->heads; a++) {
        const float *weights = attention.qkv.weights + (size_t)a * 3 * (size_t)D * (size_t)C;
        float *of_head = room + a * plain, *tile = room + config->heads * plain + a * products;
        of_head[0] = attention.scale[a];
        memcpy(of_head + 4, attention.qkv.bias + a * 3 * D, (size_t)D * sizeof *room);
        for (int32_t i = 0; i < side * side; i++)
            of_head[4 + all + i] = (float)attention.position[a * side * side + i];
        for (int32_t i = 0; i < 3 * D * C; i++) /* [q, k, v][D][C] */
            tile[(i / (D * C) * C + i % C) * all + i / C % D] = weights[i];
    }
    return settle(p, &packed);
}

static swin2sr__vk_block pack_block(packer *p, int32_t g, int32_t b) {
    swin2sr__folds *folds = &p->folds;
    swin2sr__vk_block block;
    block.attention = pack_attention(p, swin2sr__fold_attention(folds, g, b));
    block.proj = pack_linear(p, swin2sr__fold_block_linear(folds, g, b, 0));
    block.norm1 = pack_norm(p, swin2sr__fold_block_norm(folds, g, b, 1));
    block.fc1 = pack_linear(p, swin2sr__fold_block_linear(folds, g, b, 1));
    block.fc2 = pack_linear(p, swin2sr__fold_block_linear(folds, g, b, 2));
    block.norm2 = pack_norm(p, swin2sr__fold_block_norm(folds, g, b, 2));
    return block;
}

static void pack_layers(packer *p) {
    swin2sr__vk_network *to = p->network;
    const swin2sr__network *network = p->folds.network;
    int32_t groups = network->config.groups;
    to->embed = pack_conv(p, swin2sr__fold_embed(&p->folds));
    to->embed_norm = pack_norm(p, swin2sr__fold_embed_norm(&p->folds));
    for (int32_t g = 0; g < groups; g++) {
        for (int32_t b = 0; b < network->config.depths[g]; b++)
            to->blocks[g][b] = pack_block(p, g, b);
        to->convs[g] = pack_conv(p, swin2sr__fold_group_conv(&p->folds, g));
    }
    for (int32_t g = 0; g <= groups && swin2sr__network_narrow(network); g++) {
        to->narrows[g].conv = pack_conv(p, swin2sr__fold_narrow_conv(&p->folds, g));
        to->narrows[g].point = pack_linear(p, swin2sr__fold_narrow_point(&p->folds, g));
    }
    to->final_norm = pack_norm(p, swin2sr__fold_final_norm(&p->folds));
    to->after_body = pack_conv(p, swin2sr__fold_after_body(&p->folds));
    for (int32_t i = 0; i < network->stages_count; i++)
        to->stages[i] = pack_conv(p, swin2sr__fold_stage(&p->folds, i));
    if (swin2sr__network_has_aux(network))
        to->cubic = pack_conv(p, swin2sr__fold_cubic(&p->folds));
    swin2sr__folds_drop(&p->folds);
}

/* Copy the arena to the device. */
static VkResult upload(swin2sr__vk_network *self, const swin2sr__arena *from) {
    const swin2sr__vk_api *api = &self->gpu.api;
    swin2sr__vk_buffer staging = {0};
    swin2sr__vk_commands commands = {0};
    VkBufferCopy all = {.size = from->used};
    VkResult result = swin2sr__vk_buffer_new(&self->gpu, from->used, false, &self->weights);
    if (result == VK_SUCCESS)
        result = swin2sr__vk_buffer_new(&self->gpu, from->used, true, &staging);
    if (result == VK_SUCCESS)
        result = swin2sr__vk_commands_new(&self->gpu, &commands);
    if (result == VK_SUCCESS)
        result = swin2sr__vk_commands_begin(&self->gpu, &commands);
    if (result == VK_SUCCESS) {
        memcpy(staging.mapped, from->base, from->used);
        api->CmdCopyBuffer(commands.buffer, staging.buffer, self->weights.buffer, 1, &all);
        result = swin2sr__vk_commands_run(&self->gpu, &commands);
    }
    swin2sr__vk_commands_free(&self->gpu, &commands);
    swin2sr__vk_buffer_free(&self->gpu, &staging);
    return result;
}

static swin2sr_status pack_weights(swin2sr__vk_network *self, const swin2sr__weights *weights, swin2sr_error *reterr) {
    packer p = {.network = self, .folds = {.network = &self->packed.network, .reterr = reterr}};
    pack_layers(&p);
    self->packed.bytes = p.memory.used;
    p.scratch = self->is_half ? malloc(p.scratch_floats * sizeof *p.scratch) : NULL;
    if ((self->is_half && !p.scratch) || !swin2sr__arena_allocate(&p.memory)) {
        free(p.scratch);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for %zu bytes of weights", self->packed.bytes);
    }
    p.folds.weights = weights;
    pack_layers(&p);
    swin2sr_status status = p.folds.status;
    if (status == SWIN2SR_OK) {
        VkResult result = upload(self, &p.memory);
        if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY)
            status =
                swin2sr__error_set(reterr, SWIN2SR_NOMEM, "%.100s: %s, for %zu MiB of weights", self->gpu.info.name,
                                   swin2sr__vk_result_text(result), (self->packed.bytes >> 20) + 1);
        else if (result != VK_SUCCESS)
            status = swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "%.100s: %s", self->gpu.info.name,
                                        swin2sr__vk_result_text(result));
    }
    swin2sr__arena_done(&p.memory);
    free(p.scratch);
    return status;
}

static swin2sr_status check_supported(const swin2sr__config *config, const swin2sr_model_options *options,
                                      swin2sr_error *reterr) {
    int32_t D = config->dim / config->heads;
    if (options->is_plain)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the plain C kernels are the CPU's; choose device cpu");
    if (options->precision != SWIN2SR_PRECISION_AUTO && options->precision != SWIN2SR_PRECISION_FP32 &&
        options->precision != SWIN2SR_PRECISION_FP16)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED,
                                  "Vulkan computes in fp32 and fp16; other precisions: device cpu");
    if (config->window_px > MAX_WINDOW_PX)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "window %d: Vulkan supports at most %d",
                                  config->window_px, MAX_WINDOW_PX);
    if (D > SWIN2SR__VK_MAX_HEAD)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "heads of %d channels: Vulkan supports at most %d", D,
                                  SWIN2SR__VK_MAX_HEAD);
    return SWIN2SR_OK;
}

/* The N of "vulkan:N", 0 of "vulkan", -1 of "auto". */
static bool parse_device(const char *text, int32_t *ret_index) {
    if (strcmp(text, "auto") == 0 || strcmp(text, "vulkan") == 0) {
        *ret_index = text[0] == 'a' ? -1 : 0;
        return true;
    }
    const char *digits = text + strlen("vulkan:");
    if (strncmp(text, "vulkan:", strlen("vulkan:")) != 0 || !digits[0] || strlen(digits) > 2 ||
        strspn(digits, "0123456789") != strlen(digits))
        return false;
    *ret_index = atoi(digits);
    return true;
}

static swin2sr_status open_network(swin2sr__vk_network *self, const swin2sr__weights *weights,
                                   const swin2sr_model_options *options, int32_t index, swin2sr_error *reterr) {
    const swin2sr__config *config = &self->packed.network.config;
    swin2sr_status status = swin2sr__vk_gpu_open(&self->gpu, index, config->dim / config->heads, reterr);
    if (status != SWIN2SR_OK)
        return status;
    const swin2sr__device_info *info = &self->gpu.info;
    snprintf(self->packed.device_name, sizeof self->packed.device_name, "%s", info->name);
    snprintf(self->packed.device_driver, sizeof self->packed.device_driver, "%s", info->driver);
    self->cache_fd = options->device_cache_fd;
    self->is_half = options->precision == SWIN2SR_PRECISION_FP16 && info->has_fp16;
    if (self->is_half)
        self->packed.precision = SWIN2SR_PRECISION_FP16;
    else if (options->precision == SWIN2SR_PRECISION_FP16)
        self->packed.kernels_note = "the driver of the GPU has no fp16 (16-bit storage); fp32 is used";
    VkResult result = swin2sr__vk_pipelines_new(self);
    if (result != VK_SUCCESS)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "%.100s: its driver refuses the kernels: %s", info->name,
                                  swin2sr__vk_result_text(result));
    return pack_weights(self, weights, reterr);
}

swin2sr_status swin2sr__vk_pack(const swin2sr__network *network, const swin2sr__weights *weights,
                                const swin2sr_model_options *options, swin2sr__packed **ret_packed,
                                swin2sr_error *reterr) {
    int32_t index;
    if (!parse_device(options->device, &index))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "device %.40s: must be auto, cpu, vulkan or vulkan:N",
                                  options->device);
    swin2sr_status status = check_supported(&network->config, options, reterr);
    if (status != SWIN2SR_OK)
        return status;
    swin2sr__vk_network *self = calloc(1, sizeof *self);
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a network");
    pthread_mutex_init(&self->mutex, NULL);
    self->packed = (swin2sr__packed){.network = *network,
                                     .precision = SWIN2SR_PRECISION_FP32,
                                     .kernels = "vulkan",
                                     .kernels_note = "",
                                     .step_columns_px = 4096};
    status = open_network(self, weights, options, index, reterr);
    if (status == SWIN2SR_OK)
        *ret_packed = &self->packed;
    else
        swin2sr__vk_unpack(&self->packed);
    return status;
}

void swin2sr__vk_unpack(swin2sr__packed *packed) {
    swin2sr__vk_network *self = (swin2sr__vk_network *)packed;
    if (self->gpu.device) {
        swin2sr__vk_buffer_free(&self->gpu, &self->weights);
        swin2sr__vk_pipelines_free(self);
    }
    swin2sr__vk_gpu_close(&self->gpu);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}
