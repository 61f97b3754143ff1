/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/engine/test_vulkan_device.c - memory and faults of a Vulkan device: functions of the driver are replaced in the
 * table of the opened device.
 * usage: test_engine_vulkan_device NETWORK.safetensors   Skipped where there is no Vulkan device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/vulkan/network.h"
#include "upscale/plan.h"
#include <swin2sr/swin2sr.h>

#define WIDTH_PX 88
#define HEIGHT_PX 40
#define MIB ((size_t)1 << 20)

static const char *network_path;

/* What the replaced functions do. */
static struct {
    swin2sr__vk_api real;
    int calls, submissions, frees;
    int stuck_at;               /* the submission that does not end in time; 0: none */
    int lost_at;                /* the submission that fails, from 1; 0: none */
    VkDeviceSize refused_above; /* allocations of more bytes fail; 0: none */
    VkDeviceSize budget, used;
    int samples, over_from, over_to; /* samples in [from, to) say that all is used */
} driver;

#define COUNTED(f)                                                                                    \
    f(CreateBuffer) f(CreateShaderModule) f(CreateDescriptorPool) f(CreateCommandPool) f(CreateFence) \
        f(CreateDescriptorSetLayout) f(CreatePipelineLayout) f(CreatePipelineCache)

#define COUNT_CALLS(name)                                                                                     \
    static VkResult count_##name(VkDevice device, const Vk##name##Info *info, const VkAllocationCallbacks *a, \
                                 HANDLE_##name *handle) {                                                     \
        driver.calls++;                                                                                       \
        return driver.real.name(device, info, a, handle);                                                     \
    }
#define VkCreateBufferInfo VkBufferCreateInfo
#define VkCreateShaderModuleInfo VkShaderModuleCreateInfo
#define VkCreateDescriptorPoolInfo VkDescriptorPoolCreateInfo
#define VkCreateCommandPoolInfo VkCommandPoolCreateInfo
#define VkCreateFenceInfo VkFenceCreateInfo
#define VkCreateDescriptorSetLayoutInfo VkDescriptorSetLayoutCreateInfo
#define VkCreatePipelineLayoutInfo VkPipelineLayoutCreateInfo
#define VkCreatePipelineCacheInfo VkPipelineCacheCreateInfo
#define HANDLE_CreateBuffer VkBuffer
#define HANDLE_CreateShaderModule VkShaderModule
#define HANDLE_CreateDescriptorPool VkDescriptorPool
#define HANDLE_CreateCommandPool VkCommandPool
#define HANDLE_CreateFence VkFence
#define HANDLE_CreateDescriptorSetLayout VkDescriptorSetLayout
#define HANDLE_CreatePipelineLayout VkPipelineLayout
#define HANDLE_CreatePipelineCache VkPipelineCache

COUNTED(COUNT_CALLS)

static VkResult allocate_memory(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *a,
                                VkDeviceMemory *memory) {
    driver.calls++;
    if (driver.refused_above && info->allocationSize > driver.refused_above)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    return driver.real.AllocateMemory(device, info, a, memory);
}

static VkResult allocate_sets(VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets) {
    driver.calls++;
    return driver.real.AllocateDescriptorSets(device, info, sets);
}

static VkResult allocate_commands(VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *buffers) {
    driver.calls++;
    return driver.real.AllocateCommandBuffers(device, info, buffers);
}

static VkResult create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                 const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *a,
                                 VkPipeline *pipelines) {
    driver.calls++;
    return driver.real.CreateComputePipelines(device, cache, count, infos, a, pipelines);
}

static VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence) {
    if (++driver.submissions == driver.lost_at)
        return VK_ERROR_DEVICE_LOST;
    return driver.real.QueueSubmit(queue, count, infos, fence);
}

/* It ends, so that nothing is used after it is freed here, but the caller is told that it does not. */
static VkResult wait_for(VkDevice device, uint32_t count, const VkFence *fences, VkBool32 all, uint64_t timeout_ns) {
    VkResult result = driver.real.WaitForFences(device, count, fences, all, UINT64_MAX);
    return driver.submissions == driver.stuck_at && timeout_ns != UINT64_MAX ? VK_TIMEOUT : result;
}

static void free_memory(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *a) {
    driver.frees++;
    driver.real.FreeMemory(device, memory, a);
}

static void tell_memory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2 *all) {
    VkPhysicalDeviceMemoryBudgetPropertiesEXT *heaps = all->pNext;
    bool is_over = driver.samples >= driver.over_from && driver.samples < driver.over_to;
    driver.samples++;
    driver.real.GetPhysicalDeviceMemoryProperties(device, &all->memoryProperties);
    for (uint32_t i = 0; i < all->memoryProperties.memoryHeapCount; i++) {
        heaps->heapBudget[i] = driver.budget;
        heaps->heapUsage[i] = is_over ? driver.budget + 1 : driver.used;
    }
}

/* A model of device 0, with its functions replaced. */
static swin2sr_model *open_model(void) {
    swin2sr_model_options options = {.device = "vulkan"};
    swin2sr_model *model = NULL;
    swin2sr_error error = {""};
    swin2sr_status status = swin2sr_model_open(network_path, &options, &model, &error);
    if (status == SWIN2SR_UNSUPPORTED) {
        printf("%s\n", error.text);
        skip();
    }
    assert_int_equal(status, SWIN2SR_OK);
    swin2sr__vk_api *api = &((swin2sr__vk_network *)(uintptr_t)swin2sr__model_packed(model))->gpu.api;
    memset(&driver, 0, sizeof driver);
    driver.real = *api;
    api->CreateBuffer = count_CreateBuffer;
    api->CreateShaderModule = count_CreateShaderModule;
    api->CreateDescriptorPool = count_CreateDescriptorPool;
    api->CreateCommandPool = count_CreateCommandPool;
    api->CreateFence = count_CreateFence;
    api->CreateDescriptorSetLayout = count_CreateDescriptorSetLayout;
    api->CreatePipelineLayout = count_CreatePipelineLayout;
    api->CreatePipelineCache = count_CreatePipelineCache;
    api->AllocateCommandBuffers = allocate_commands;
    api->AllocateMemory = allocate_memory;
    api->AllocateDescriptorSets = allocate_sets;
    api->CreateComputePipelines = create_pipelines;
    api->QueueSubmit = submit;
    api->WaitForFences = wait_for;
    api->FreeMemory = free_memory;
    api->GetPhysicalDeviceMemoryProperties2 = tell_memory;
    return model;
}

static swin2sr__device_info *info_of(swin2sr_model *model) {
    return &((swin2sr__vk_network *)(uintptr_t)swin2sr__model_packed(model))->gpu.info;
}

static swin2sr_status drop_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    *(int32_t *)context += n;
    return SWIN2SR_OK;
}

static bool wait_a_sample(void *context, double done) {
    usleep(110000);
    return true;
}

/* Enlarge a flat picture.  ret_plan  What was planned.  returns  How it ended; the detail is in `error`. */
static swin2sr_status enlarge(swin2sr_model *model, const swin2sr_options *options, swin2sr_plan *ret_plan,
                              swin2sr_error *error) {
    uint8_t row[WIDTH_PX * 3];
    swin2sr_stream *stream = NULL;
    int32_t rows = 0;
    memset(row, 100, sizeof row);
    swin2sr_status status = swin2sr_stream_open(model, options, WIDTH_PX, HEIGHT_PX, drop_rows, &rows, &stream, error);
    if (status != SWIN2SR_OK)
        return status;
    *ret_plan = *swin2sr_stream_get_plan(stream);
    driver.calls = driver.submissions = driver.samples = 0;
    for (int32_t y = 0; y < HEIGHT_PX && status == SWIN2SR_OK; y++)
        status = swin2sr_stream_push(stream, row, sizeof row, 1);
    assert_true(status != SWIN2SR_OK || rows == HEIGHT_PX * swin2sr_model_get_info(model)->scale);
    swin2sr_stream_close(stream);
    return status;
}

static void test_nothing_is_allocated_while_rows_flow(void **state) {
    swin2sr_model *model = open_model();
    const swin2sr_options kinds[] = {{0}, {.rows = 1}, {.tile_px = 64, .overlap_px = 16}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        swin2sr_plan plan;
        assert_int_equal(enlarge(model, &kinds[i], &plan, NULL), SWIN2SR_OK);
        assert_true(driver.submissions > 0 && (i < 2) == (plan.columns * plan.bands == 1));
        assert_int_equal(driver.calls, 0);
    }
    swin2sr_model_unref(model);
}

static void test_a_lost_device_ends_the_image(void **state) {
    for (int lost_at = 1; lost_at <= 3; lost_at += 2) {
        swin2sr_model *model = open_model();
        swin2sr_options options = {.rows = 1};
        swin2sr_plan plan;
        driver.lost_at = lost_at;
        assert_int_equal(enlarge(model, &options, &plan, NULL), SWIN2SR_IO);
        assert_int_equal(driver.submissions, lost_at); /* nothing is submitted after it */
        swin2sr_model_unref(model);
    }
}

/* What a stuck GPU may still use is not freed. A device of software is waited for. */
static void test_a_stuck_device_keeps_its_memory(void **state) {
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the leak would be reported */
#endif
    swin2sr_model *model = open_model();
    swin2sr_options options = {.rows = 1};
    swin2sr_plan plan;
    driver.stuck_at = 2;
    assert_int_equal(enlarge(model, &options, &plan, NULL), SWIN2SR_OK);
    info_of(model)->is_gpu = true;
    driver.frees = 0;
    assert_int_equal(enlarge(model, &options, &plan, NULL), SWIN2SR_IO);
    swin2sr_model_unref(model);
    assert_int_equal(driver.frees, 0);
}

/* Fewer rows per step, then a refusal that names both sizes. */
static void test_refused_memory_makes_cheaper_plans(void **state) {
    swin2sr_model *model = open_model();
    swin2sr_plan all, plan;
    swin2sr_error error = {""};
    assert_int_equal(enlarge(model, NULL, &all, NULL), SWIN2SR_OK);
    driver.refused_above = all.memory_bytes / 10 * 8;
    assert_int_equal(enlarge(model, NULL, &plan, NULL), SWIN2SR_OK);
    assert_true(plan.rows < all.rows && plan.memory_bytes < all.memory_bytes && plan.columns == 1);
    driver.refused_above = 1000;
    assert_int_equal(enlarge(model, NULL, &plan, &error), SWIN2SR_NOMEM);
    assert_non_null(strstr(error.text, "88 x 40 pixels need "));
    assert_non_null(strstr(error.text, " MiB are allowed"));
    swin2sr_model_unref(model);
}

static void test_plans_keep_to_the_budget(void **state) {
    swin2sr_model *model = open_model();
    swin2sr_plan all, plan;
    swin2sr_error error = {""};
    assert_int_equal(swin2sr_stream_plan(model, NULL, WIDTH_PX, HEIGHT_PX, &all, NULL), SWIN2SR_OK);
    info_of(model)->has_budget = true;
    driver.used = 1000 * MIB;
    driver.budget = driver.used + 2 * all.memory_bytes;
    assert_int_equal(swin2sr_stream_plan(model, NULL, WIDTH_PX, HEIGHT_PX, &plan, NULL), SWIN2SR_OK);
    assert_int_equal(plan.memory_bytes, all.memory_bytes);
    driver.budget = driver.used + all.memory_bytes;
    assert_int_equal(swin2sr_stream_plan(model, NULL, WIDTH_PX, HEIGHT_PX, &plan, NULL), SWIN2SR_OK);
    assert_true(plan.rows < all.rows && plan.memory_bytes <= all.memory_bytes / 10 * 9);
    driver.budget = driver.used - 1; /* others have taken it */
    assert_int_equal(swin2sr_stream_plan(model, NULL, WIDTH_PX, HEIGHT_PX, &plan, &error), SWIN2SR_NOMEM);
    assert_non_null(strstr(error.text, " of the GPU's memory, 0 MiB are free"));
    swin2sr_model_unref(model);
}

/* As others take more and more: fewer rows per step, then strips, then a refusal. */
static void test_wide_images_become_strips(void **state) {
    swin2sr_model *model = open_model();
    swin2sr_plan plan, last;
    int32_t rows_before_strips = 0;
    assert_int_equal(swin2sr_stream_plan(model, NULL, 1000, 300, &last, NULL), SWIN2SR_OK);
    info_of(model)->has_budget = true;
    for (driver.budget = last.memory_bytes;; driver.budget -= driver.budget / 8) {
        swin2sr_status status = swin2sr_stream_plan(model, NULL, 1000, 300, &plan, NULL);
        if (status == SWIN2SR_NOMEM)
            break;
        assert_int_equal(status, SWIN2SR_OK);
        assert_true(plan.memory_bytes <= driver.budget / 10 * 9 && plan.columns >= last.columns);
        rows_before_strips = plan.columns == 1 ? plan.rows : rows_before_strips;
        last = plan;
    }
    assert_int_equal(rows_before_strips, 1);
    assert_true(last.columns > 1);
    swin2sr_model_unref(model);
}

/* Three samples in a row over the budget end the image, two do not. */
static void test_the_budget_is_sampled_while_work_runs(void **state) {
    swin2sr_model *model = open_model();
    swin2sr_options options = {.rows = 1, .on_progress = wait_a_sample};
    swin2sr_plan plan;
    info_of(model)->has_budget = true;
    driver.budget = 1 << 30;
    driver.over_from = 2;
    driver.over_to = 4;
    assert_int_equal(enlarge(model, &options, &plan, NULL), SWIN2SR_OK);
    assert_true(driver.samples > 4);
    driver.over_to = 5;
    assert_int_equal(enlarge(model, &options, &plan, NULL), SWIN2SR_NOMEM);
    assert_int_equal(driver.samples, 5);
    swin2sr_model_unref(model);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_allocated_while_rows_flow),
        cmocka_unit_test(test_a_lost_device_ends_the_image),
        cmocka_unit_test(test_a_stuck_device_keeps_its_memory),
        cmocka_unit_test(test_refused_memory_makes_cheaper_plans),
        cmocka_unit_test(test_plans_keep_to_the_budget),
        cmocka_unit_test(test_wide_images_become_strips),
        cmocka_unit_test(test_the_budget_is_sampled_while_work_runs),
    };
    if (argc != 2)
        return 2;
    network_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
