/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/device.c - a Vulkan device as a device of the engine: memory, and the order of its row pipeline (stage 6
 * of 9).
 * In: pixel rows.  Out: enlarged rows.
 * The schedule is that of the CPU, so memory grows with the width and not with the area, and the result does not depend
 * on the rows per step. Memory, descriptors and commands are allocated when the engine is opened; nothing is allocated
 * while rows flow. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/vulkan/program.h"

#define FIRST_MACS 1e9 /* of the first submission */

static swin2sr__ring_rows prepare(swin2sr__vk_engine *engine, const swin2sr__engine_options *options) {
    const swin2sr__network *network = &engine->network->packed.network;
    engine->options = *options;
    engine->rows = swin2sr__side_of(network, options->pad, options->height_px, options->y_px, options->whole_height_px);
    engine->columns =
        swin2sr__side_of(network, options->pad, options->width_px, options->x_px, options->whole_width_px);
    engine->H = engine->rows.padded;
    engine->W = engine->columns.padded;
    return swin2sr__schedule_measure(network, &engine->rows, options->rows);
}

static swin2sr__engine_bytes measure(const swin2sr__packed *packed, const swin2sr__engine_options *options,
                                     int32_t *ret_latency_rows) {
    swin2sr__vk_engine engine = {.network = (const swin2sr__vk_network *)packed};
    swin2sr__ring_rows rows = prepare(&engine, options);
    *ret_latency_rows = swin2sr__min(rows.latency, options->height_px);
    return swin2sr__vk_rings_lay_out(&engine, &rows);
}

static size_t limit(const swin2sr__packed *packed) {
    const swin2sr__vk_gpu *gpu = &((const swin2sr__vk_network *)packed)->gpu;
    swin2sr__vk_budget budget;
    if (!swin2sr__vk_budget_ask(gpu, &budget))
        return gpu->memory_bytes;
    uint64_t left = budget.all_bytes > budget.used_bytes ? budget.all_bytes - budget.used_bytes : 0;
    return left / 10 * 9 < gpu->memory_bytes ? (size_t)(left / 10 * 9) : gpu->memory_bytes;
}

static void close_engine(swin2sr__engine *base) {
    swin2sr__vk_engine *engine = (swin2sr__vk_engine *)base;
    const swin2sr__vk_gpu *gpu = &engine->network->gpu;
    swin2sr__vk_commands_free(gpu, &engine->commands);
    swin2sr__vk_buffer_free(gpu, &engine->device);
    swin2sr__vk_buffer_free(gpu, &engine->host);
    if (engine->pool && !gpu->is_stuck)
        gpu->api.DestroyDescriptorPool(gpu->device, engine->pool, NULL);
    free(engine->ops);
    free(engine);
}

/* The list of dispatches, with a descriptor set for each. */
static VkResult allocate_ops(swin2sr__vk_engine *engine) {
    const swin2sr__vk_gpu *gpu = &engine->network->gpu;
    swin2sr__vk_program_build(engine);
    uint32_t count = (uint32_t)engine->ops_count;
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count * SWIN2SR__VK_BINDINGS};
    VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = count,
                                       .poolSizeCount = 1,
                                       .pPoolSizes = &size};
    engine->ops = calloc(count, sizeof *engine->ops);
    if (!engine->ops)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    engine->ops_room = engine->ops_count;
    VkResult result = gpu->api.CreateDescriptorPool(gpu->device, &pool, NULL, &engine->pool);
    for (uint32_t i = 0; i < count && result == VK_SUCCESS; i++) {
        VkDescriptorSetAllocateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                           .descriptorPool = engine->pool,
                                           .descriptorSetCount = 1,
                                           .pSetLayouts = &engine->network->set_layout};
        result = gpu->api.AllocateDescriptorSets(gpu->device, &set, &engine->ops[i].set);
    }
    return result;
}

static swin2sr_status open_engine(const swin2sr__packed *packed, swin2sr_threads *threads, swin2sr__engine_bytes bytes,
                                  swin2sr__engine **ret_engine) {
    swin2sr__vk_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return SWIN2SR_NOMEM;
    engine->network = (const swin2sr__vk_network *)packed;
    engine->budget_macs = FIRST_MACS;
    const swin2sr__vk_gpu *gpu = &engine->network->gpu;
    VkResult result = allocate_ops(engine);
    if (result == VK_SUCCESS)
        result = swin2sr__vk_commands_new(gpu, &engine->commands);
    if (result == VK_SUCCESS)
        result = swin2sr__vk_buffer_new(gpu, bytes.own, false, &engine->device);
    if (result == VK_SUCCESS)
        result = swin2sr__vk_buffer_new(gpu, bytes.shared, true, &engine->host);
    if (result != VK_SUCCESS) {
        close_engine(&engine->base);
        return SWIN2SR_NOMEM;
    }
    *ret_engine = &engine->base;
    return SWIN2SR_OK;
}

static swin2sr_status begin(swin2sr__engine *base, const swin2sr__engine_options *options) {
    swin2sr__vk_engine *engine = (swin2sr__vk_engine *)base;
    swin2sr__ring_rows rows = prepare(engine, options);
    swin2sr__engine_bytes needs = swin2sr__vk_rings_lay_out(engine, &rows);
    if (needs.own > engine->device.bytes || needs.shared > engine->host.bytes)
        return SWIN2SR_NOMEM;
    engine->over_count = 0;
    engine->sampled_us = swin2sr__clock_us();
    swin2sr__schedule_init(&engine->base.schedule, &engine->network->packed.network, &engine->rows, options->rows);
    swin2sr__vk_program_build(engine);
    if (swin2sr__network_has_aux(&engine->network->packed.network))
        swin2sr__vk_fill_tables(engine);
    return SWIN2SR_OK;
}

static void push_row(swin2sr__engine *base, const void *row) {
    swin2sr__vk_take_row((swin2sr__vk_engine *)base, row);
}

static void pad_row(swin2sr__engine *base) {
    swin2sr__vk_pad_row((swin2sr__vk_engine *)base);
}

static swin2sr_status emit(const swin2sr__vk_engine *engine, const swin2sr__vk_ring *from, swin2sr__span rows,
                           swin2sr_on_rows on_rows, void *context) {
    size_t stride = (size_t)from->width * sizeof(uint32_t);
    int32_t y = rows.from, end = swin2sr__min(rows.to, from->height);
    swin2sr_status status = SWIN2SR_OK;
    while (y < end && status == SWIN2SR_OK) { /* in two pieces if the rows wrap around the end of the ring */
        int32_t at = y % from->rows, n = swin2sr__min(end - y, from->rows - at);
        status = on_rows(context, y, n, engine->host.mapped + from->offset + (size_t)at * stride, stride);
        y += n;
    }
    return status;
}

/* Pass on the rows that this piece of the head has finished, of the second image too if there is one. */
static swin2sr_status emit_rows(const swin2sr__vk_engine *engine) {
    const swin2sr__engine_options *options = &engine->options;
    const swin2sr__network *network = &engine->network->packed.network;
    int32_t last = network->stages_count - 1, r = network->stages[last].shuffle;
    swin2sr__span span = engine->base.schedule.stages[last];
    swin2sr_status status = SWIN2SR_OK;
    if (options->on_aux_rows && swin2sr__network_has_aux(network))
        status = emit(engine, &engine->rings.aux, engine->base.schedule.stages[SWIN2SR__AUX_STAGE],
                      options->on_aux_rows, options->aux_context);
    if (status == SWIN2SR_OK)
        status = emit(engine, &engine->rings.output, (swin2sr__span){span.from * r, span.to * r}, options->on_rows,
                      options->rows_context);
    return status;
}

static swin2sr_status run_step(swin2sr__engine *base) {
    swin2sr__vk_engine *engine = (swin2sr__vk_engine *)base;
    swin2sr_status status = swin2sr__vk_run_begin(engine);
    if (status == SWIN2SR_OK)
        status = swin2sr__vk_run(engine, 0, engine->head_from);
    while (status == SWIN2SR_OK && swin2sr__schedule_head(&engine->base.schedule)) {
        status = swin2sr__vk_run(engine, engine->head_from, engine->ops_count);
        if (status == SWIN2SR_OK)
            status = swin2sr__vk_run_flush(engine);
        if (status == SWIN2SR_OK)
            status = emit_rows(engine);
        if (status == SWIN2SR_OK)
            status = swin2sr__vk_run_begin(engine);
    }
    return status == SWIN2SR_OK ? swin2sr__vk_run_flush(engine) : status;
}

const swin2sr__device swin2sr__device_vulkan = {
    .pack = swin2sr__vk_pack,
    .unpack = swin2sr__vk_unpack,
    .list = swin2sr__vk_list,
    .measure = measure,
    .limit = limit,
    .open = open_engine,
    .begin = begin,
    .push = push_row,
    .pad = pad_row,
    .run = run_step,
    .close = close_engine,
};
