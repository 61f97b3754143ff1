/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/run.c - run dispatches over rows, in submissions of bounded work.
 * Some drivers end a submission that takes more than two seconds, and nothing can be cancelled within one. The work of a
 * submission is therefore limited, and the limit follows the time that the last one took. A dispatch that exceeds it
 * is split by rows. No result depends on where the splits are. */
#include "base/clock.h"
#include "engine/vulkan/program.h"

#define CONV_ROWS 8 /* of a tile */
#define SHORT_US 50000
#define LONG_US 200000
#define SAMPLE_US 100000
#define MAX_OVER 3 /* samples in a row; a driver may exceed the budget for a moment */
#define MIN_MACS 1e7
#define MAX_MACS 1e12

static swin2sr_status status_of(VkResult result) {
    if (result == VK_SUCCESS)
        return SWIN2SR_OK;
    return result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY ? SWIN2SR_NOMEM
                                                                                            : SWIN2SR_IO;
}

/* What was written before is read after. */
static void add_barrier(const swin2sr__vk_engine *engine, VkPipelineStageFlags after, VkAccessFlags readers) {
    VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                               .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                               .dstAccessMask = readers};
    engine->network->gpu.api.CmdPipelineBarrier(engine->commands.buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, after, 0,
                                                1, &barrier, 0, NULL, 0, NULL);
}

swin2sr_status swin2sr__vk_run_begin(swin2sr__vk_engine *engine) {
    VkResult result = swin2sr__vk_commands_begin(&engine->network->gpu, &engine->commands);
    engine->recorded_macs = 0.0;
    if (result == VK_SUCCESS)
        add_barrier(engine, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                    VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
    return status_of(result);
}

/* Compare the device's memory with its budget from time to time.  returns  false: there is too little for too long. */
static bool has_memory(swin2sr__vk_engine *engine, uint64_t now_us) {
    swin2sr__vk_budget budget;
    if (now_us - engine->sampled_us < SAMPLE_US || !swin2sr__vk_budget_ask(&engine->network->gpu, &budget))
        return true;
    engine->sampled_us = now_us;
    engine->over_count = budget.used_bytes > budget.all_bytes ? engine->over_count + 1 : 0;
    return engine->over_count < MAX_OVER;
}

swin2sr_status swin2sr__vk_run_flush(swin2sr__vk_engine *engine) {
    const swin2sr__engine_options *options = &engine->options;
    swin2sr__vk_network *network = (swin2sr__vk_network *)(uintptr_t)engine->network; /* for its mutex */
    add_barrier(engine, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    uint64_t start_us = swin2sr__clock_us();
    pthread_mutex_lock(&network->mutex);
    VkResult result = swin2sr__vk_commands_run(&network->gpu, &engine->commands);
    network->packed.is_lost |= result == VK_ERROR_DEVICE_LOST || result == VK_TIMEOUT;
    pthread_mutex_unlock(&network->mutex);
    uint64_t took_us = swin2sr__clock_us() - start_us;
    if (took_us > LONG_US && engine->budget_macs > MIN_MACS)
        engine->budget_macs /= 2;
    else if (took_us < SHORT_US && engine->budget_macs < MAX_MACS && engine->recorded_macs >= engine->budget_macs)
        engine->budget_macs *= 2;
    if (result == VK_SUCCESS && !has_memory(engine, start_us + took_us))
        return SWIN2SR_NOMEM;
    if (result == VK_SUCCESS && options->on_progress &&
        !options->on_progress(options->progress_context, swin2sr__schedule_progress(&engine->base.schedule)))
        return SWIN2SR_CANCELLED;
    return status_of(result);
}

/* Rows that fit what is left of the budget: whole tiles, at least one. */
static int32_t fitting(const swin2sr__vk_engine *engine, const swin2sr__vk_op *op, int32_t tile, int32_t wanted) {
    double rows = (engine->budget_macs - engine->recorded_macs) / op->macs_per_row;
    if (rows >= wanted)
        return wanted;
    int32_t fit = swin2sr__max((int32_t)rows / tile, 1) * tile;
    return swin2sr__min(fit, wanted);
}

static void dispatch(const swin2sr__vk_engine *engine, const swin2sr__vk_op *op, swin2sr__span rows, int32_t tile) {
    const swin2sr__vk_network *network = engine->network;
    const swin2sr__vk_api *api = &network->gpu.api;
    VkCommandBuffer to = engine->commands.buffer;
    swin2sr__vk_push push = op->push;
    push.from = rows.from;
    push.to = rows.to;
    api->CmdBindPipeline(to, VK_PIPELINE_BIND_POINT_COMPUTE, network->pipelines[op->kernel][op->variant]);
    api->CmdBindDescriptorSets(to, VK_PIPELINE_BIND_POINT_COMPUTE, network->layout, 0, 1, &op->set, 0, NULL);
    api->CmdPushConstants(to, network->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, &push);
    api->CmdDispatch(to, op->groups_x, (uint32_t)((rows.to - rows.from + tile - 1) / tile), op->groups_z);
    add_barrier(engine, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

static swin2sr_status run_op(swin2sr__vk_engine *engine, const swin2sr__vk_op *op) {
    swin2sr__span rows = {op->span->from * op->scale, swin2sr__min(op->span->to * op->scale, op->limit)};
    int32_t tile = op->kernel == SWIN2SR__VK_CONV ? CONV_ROWS : 1;
    swin2sr_status status = SWIN2SR_OK;
    if (op->kernel == SWIN2SR__VK_ATTENTION && rows.from < rows.to) { /* rows of windows */
        int32_t window = engine->network->packed.network.config.window_px, before = op->push.before;
        rows = (swin2sr__span){(rows.from + before) / window, (rows.to + before + window - 1) / window};
    }
    while (rows.from < rows.to && status == SWIN2SR_OK) {
        int32_t n = fitting(engine, op, tile, rows.to - rows.from);
        dispatch(engine, op, (swin2sr__span){rows.from, rows.from + n}, tile);
        rows.from += n;
        engine->recorded_macs += n * op->macs_per_row;
        if (engine->recorded_macs >= engine->budget_macs) {
            status = swin2sr__vk_run_flush(engine);
            if (status == SWIN2SR_OK)
                status = swin2sr__vk_run_begin(engine);
        }
    }
    return status;
}

swin2sr_status swin2sr__vk_run(swin2sr__vk_engine *engine, int32_t from, int32_t to) {
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = from; i < to && status == SWIN2SR_OK; i++)
        status = run_op(engine, &engine->ops[i]);
    return status;
}
