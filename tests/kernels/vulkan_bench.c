/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/vulkan_bench.c - one kernel of the Vulkan device, alone (vulkan_bench.h). */
#include "vulkan_bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"

#define REGION_BYTES (REGION_FLOATS * sizeof(float))
#define GUARD -12344.0f    /* a half too */
#define HALF_EPS 4.8829e-4 /* 2^-11 and a little */
#define HALF_MAX 65504.0

static uint32_t state = 1;

float noise(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (float)(1 << 23) - 1.0f;
}

int32_t rounded(int32_t n, int32_t unit) {
    return (n + unit - 1) / unit * unit;
}

int32_t index_of(int32_t rows, int32_t channels, int32_t width, int32_t y, int32_t c, int32_t x) {
    return (y % rows * channels + c) * width + x;
}

/* ---- the device ---- */

static bool bind_regions(bench *self) {
    const swin2sr__vk_gpu *gpu = &self->network.gpu;
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, SWIN2SR__VK_BINDINGS};
    VkDescriptorPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1, .poolSizeCount = 1, .pPoolSizes = &size};
    if (gpu->api.CreateDescriptorPool(gpu->device, &pool, NULL, &self->pool) != VK_SUCCESS)
        return false;
    VkDescriptorSetAllocateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                       .descriptorPool = self->pool,
                                       .descriptorSetCount = 1,
                                       .pSetLayouts = &self->network.set_layout};
    if (gpu->api.AllocateDescriptorSets(gpu->device, &set, &self->set) != VK_SUCCESS)
        return false;
    for (uint32_t i = 0; i < SWIN2SR__VK_BINDINGS; i++) {
        VkDescriptorBufferInfo part = {self->buffer.buffer, i * REGION_BYTES, REGION_BYTES};
        VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = self->set,
                                      .dstBinding = i,
                                      .descriptorCount = 1,
                                      .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                      .pBufferInfo = &part};
        gpu->api.UpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
        self->regions[i] = malloc(REGION_BYTES);
    }
    return true;
}

bool bench_open(bench *self, int32_t index, const bench_shape *shape, bool is_half, swin2sr_error *error) {
    swin2sr__vk_network *network = &self->network;
    swin2sr__vk_gpu *gpu = &network->gpu;
    if (swin2sr__vk_gpu_open(gpu, index, shape->head, error) != SWIN2SR_OK)
        return false;
    network->is_half = is_half && gpu->info.has_fp16;
    network->packed.network.config.dim = shape->head * shape->heads;
    network->packed.network.config.heads = shape->heads;
    network->packed.network.config.window_px = shape->window;
    return swin2sr__vk_pipelines_new(network) == VK_SUCCESS &&
           swin2sr__vk_buffer_new(gpu, SWIN2SR__VK_BINDINGS * REGION_BYTES, true, &self->buffer) == VK_SUCCESS &&
           swin2sr__vk_commands_new(gpu, &self->commands) == VK_SUCCESS && bind_regions(self);
}

void bench_close(bench *self) {
    const swin2sr__vk_gpu *gpu = &self->network.gpu;
    if (self->pool)
        gpu->api.DestroyDescriptorPool(gpu->device, self->pool, NULL);
    if (gpu->device) {
        swin2sr__vk_commands_free(gpu, &self->commands);
        swin2sr__vk_buffer_free(gpu, &self->buffer);
        swin2sr__vk_pipelines_free(&self->network);
    }
    swin2sr__vk_gpu_close(&self->network.gpu);
    for (int i = 0; i < SWIN2SR__VK_BINDINGS; i++)
        free(self->regions[i]);
}

/* ---- inputs ---- */

void bench_prepare(bench *self, swin2sr__vk_kernel kernel, int32_t weights) {
    self->kernel = kernel;
    self->is_good = weights <= REGION_FLOATS;
    self->is_overrun = false;
    for (int i = 0; i < SWIN2SR__VK_BINDINGS; i++)
        for (int32_t j = 0; j < REGION_FLOATS; j++)
            self->regions[i][j] = i >= RESULT ? GUARD : i == WEIGHTS && j < weights ? 0.0f : NAN;
}

void bench_fill(bench *self, region input, int32_t rows, int32_t channels, int32_t width, int32_t from, int32_t to) {
    for (int32_t y = from; y < to; y++)
        for (int32_t i = 0; i < channels * width; i++)
            self->regions[input][index_of(rows, channels, width, y, 0, i)] = noise();
}

static bool has_halves(const bench *self, int binding) {
    static const int bits[SWIN2SR__VK_BINDINGS] = {[FIRST] = 1, [SECOND] = 2, [RESULT] = 4};
    return (self->variant & bits[binding]) != 0;
}

static float of_half(uint16_t half) {
    uint32_t bits = swin2sr__half_to_float(half);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Floats from index `from` on become halves, on the device and, rounded, here. */
static void store_halves(float *values, int32_t from, unsigned char *to) {
    memcpy(to, values, (size_t)from * sizeof(float));
    uint16_t *halves = (uint16_t *)(void *)(to + (size_t)from * sizeof(float));
    for (int32_t i = 0; i < REGION_FLOATS - from; i++) {
        halves[i] = swin2sr__half_of_float(values[from + i]);
        values[from + i] = of_half(halves[i]);
    }
}

static void upload(bench *self, int32_t plain) {
    for (int i = 0; i < SWIN2SR__VK_BINDINGS; i++) {
        unsigned char *to = self->buffer.mapped + (size_t)i * REGION_BYTES;
        uint16_t guard = swin2sr__half_of_float(GUARD);
        if (i == RESULT && has_halves(self, i)) {
            for (int32_t j = 0; j < 2 * REGION_FLOATS; j++)
                memcpy(to + 2 * j, &guard, sizeof guard);
        } else if (i == WEIGHTS ? self->network.is_half && plain < REGION_FLOATS : has_halves(self, i)) {
            store_halves(self->regions[i], i == WEIGHTS ? plain : 0, to);
        } else {
            memcpy(to, self->regions[i], REGION_BYTES);
        }
    }
}

/* ---- outputs ---- */

static void download(bench *self) {
    for (int i = RESULT; i < SWIN2SR__VK_BINDINGS; i++) {
        const unsigned char *from = self->buffer.mapped + (size_t)i * REGION_BYTES;
        const uint16_t *halves = (const uint16_t *)(const void *)from;
        if (!has_halves(self, i)) {
            memcpy(self->regions[i], from, REGION_BYTES);
            continue;
        }
        for (int32_t j = 0; j < REGION_FLOATS; j++) {
            self->regions[i][j] = of_half(halves[j]);
            self->is_overrun |= of_half(halves[REGION_FLOATS + j]) != GUARD;
        }
    }
}

void bench_run(bench *self, int32_t plain, const swin2sr__vk_push *push, int32_t x, int32_t y, int32_t z) {
    const swin2sr__vk_network *network = &self->network;
    const swin2sr__vk_api *api = &network->gpu.api;
    VkCommandBuffer to = self->commands.buffer;
    VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                               .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                               .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    upload(self, plain);
    if (swin2sr__vk_commands_begin(&network->gpu, &self->commands) != VK_SUCCESS)
        abort();
    api->CmdBindPipeline(to, VK_PIPELINE_BIND_POINT_COMPUTE, network->pipelines[self->kernel][self->variant]);
    api->CmdBindDescriptorSets(to, VK_PIPELINE_BIND_POINT_COMPUTE, network->layout, 0, 1, &self->set, 0, NULL);
    api->CmdPushConstants(to, network->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof *push, push);
    api->CmdDispatch(to, (uint32_t)x, (uint32_t)y, (uint32_t)z);
    api->CmdPipelineBarrier(to, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0,
                            NULL, 0, NULL);
    if (swin2sr__vk_commands_run(&self->network.gpu, &self->commands) != VK_SUCCESS)
        abort();
    download(self);
}

void bench_take(bench *self, region output, int32_t at, double expected, double bound) {
    bool is_rounded = has_halves(self, output);
    if (is_rounded) {
        expected = fmax(fmin(expected, HALF_MAX), -HALF_MAX);
        bound += HALF_EPS * fabs(expected) + 3e-8; /* half of the smallest half */
    }
    double share = fabs((double)self->regions[output][at] - expected) / bound;
    self->regions[output][at] = GUARD;
    self->is_good = self->is_good && share <= 1.0;
    if (!is_rounded && !(share <= self->worst[self->kernel]))
        self->worst[self->kernel] = share;
}

void bench_finish(bench *self, const char *format, ...) {
    for (int i = RESULT; i < SWIN2SR__VK_BINDINGS; i++)
        for (int32_t j = 0; j < REGION_FLOATS; j++)
            self->is_good = self->is_good && self->regions[i][j] == GUARD;
    self->is_good = self->is_good && !self->is_overrun;
    self->cases++;
    self->failures += !self->is_good;
    if (self->is_good)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("FAIL ");
    vprintf(format, arguments);
    printf(", %s, variant %d\n", self->network.is_half ? "halves" : "floats", self->variant);
    va_end(arguments);
}
