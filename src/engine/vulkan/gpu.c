/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/gpu.c - find the devices of this machine, open one, give out its memory, run commands. */
#include "engine/vulkan/gpu.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define WAIT_NS 60000000000ull
#define NEEDED_SHARED_BYTES (16 << 10)
#define NEEDED_INVOCATIONS 128
#define NO_FAMILY UINT32_MAX

/* ---- what a device is ---- */

static void describe_type(swin2sr__device_info *info, VkPhysicalDeviceType type) {
    info->is_gpu = true;
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        info->type = "discrete GPU";
        return;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        info->type = "integrated GPU";
        return;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        info->type = "virtual GPU";
        return;
    default:
        info->is_gpu = false;
        info->type = type == VK_PHYSICAL_DEVICE_TYPE_CPU ? "software" : "other";
    }
}

static void describe_extensions(const swin2sr__vk_api *api, VkPhysicalDevice device, swin2sr__device_info *info) {
    VkExtensionProperties list[512];
    uint32_t count = 512;
    if (api->EnumerateDeviceExtensionProperties(device, NULL, &count, list) < 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        info->has_matrix |= strcmp(list[i].extensionName, "VK_KHR_cooperative_matrix") == 0;
        info->has_budget |= strcmp(list[i].extensionName, "VK_EXT_memory_budget") == 0;
    }
}

/* The largest heap of the device's own memory. */
static uint32_t own_heap(const VkPhysicalDeviceMemoryProperties *memory) {
    uint32_t found = 0;
    uint64_t most = 0;
    for (uint32_t i = 0; i < memory->memoryHeapCount; i++) {
        if (memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT && memory->memoryHeaps[i].size > most) {
            most = memory->memoryHeaps[i].size;
            found = i;
        }
    }
    return found;
}

static uint32_t find_family(const swin2sr__vk_api *api, VkPhysicalDevice device) {
    VkQueueFamilyProperties families[16];
    uint32_t count = 16, found = NO_FAMILY;
    api->GetPhysicalDeviceQueueFamilyProperties(device, &count, families);
    for (uint32_t i = count; i-- > 0;) {
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
            found = i;
    }
    return found;
}

/* What keeps a device from running any network. */
static const char *find_problem(const VkPhysicalDeviceLimits *limits, uint32_t api_version, uint32_t family) {
    if (api_version < VK_API_VERSION_1_1)
        return "its driver has Vulkan 1.0, 1.1 is needed";
    if (family == NO_FAMILY)
        return "it cannot compute";
    if (limits->maxComputeSharedMemorySize < NEEDED_SHARED_BYTES ||
        limits->maxComputeWorkGroupInvocations < NEEDED_INVOCATIONS)
        return "its workgroups are too small";
    return NULL;
}

/* Fill what is known of a device before it is opened. */
static void describe(swin2sr__vk_gpu *gpu) {
    const swin2sr__vk_api *api = &gpu->api;
    swin2sr__device_info *info = &gpu->info;
    VkPhysicalDeviceMaintenance3Properties largest = {.sType =
                                                          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    VkPhysicalDeviceDriverProperties driver = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
                                               .pNext = &largest};
    VkPhysicalDeviceProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver};
    VkPhysicalDeviceVulkan12Features extra = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    VkPhysicalDevice16BitStorageFeatures halves = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &halves};
    memset(info, 0, sizeof *info);
    api->GetPhysicalDeviceProperties2(gpu->physical, &all);
    api->GetPhysicalDeviceMemoryProperties(gpu->physical, &gpu->memory);
    halves.pNext = all.properties.apiVersion >= VK_API_VERSION_1_2 ? &extra : NULL; /* else unknown to the driver */
    api->GetPhysicalDeviceFeatures2(gpu->physical, &features);
    describe_type(info, all.properties.deviceType);
    describe_extensions(api, gpu->physical, info);
    snprintf(info->name, sizeof info->name, "%s", all.properties.deviceName);
    snprintf(info->driver, sizeof info->driver, "%.120s %.180s", driver.driverName, driver.driverInfo);
    info->api_major = VK_API_VERSION_MAJOR(all.properties.apiVersion);
    info->api_minor = VK_API_VERSION_MINOR(all.properties.apiVersion);
    gpu->identity =
        (swin2sr__vk_identity){all.properties.vendorID, all.properties.deviceID, all.properties.driverVersion, {0}};
    memcpy(gpu->identity.uuid, all.properties.pipelineCacheUUID, sizeof gpu->identity.uuid);
    info->memory_bytes = gpu->memory.memoryHeaps[own_heap(&gpu->memory)].size;
    info->has_fp16 = halves.storageBuffer16BitAccess;
    info->has_int8 = extra.shaderInt8;
    gpu->family = find_family(api, gpu->physical);
    info->problem = find_problem(&all.properties.limits, all.properties.apiVersion, gpu->family);
    gpu->range_bytes = all.properties.limits.maxStorageBufferRange;
    gpu->shared_bytes = all.properties.limits.maxComputeSharedMemorySize;
    info->max_head = (int32_t)(gpu->shared_bytes / swin2sr__vk_shared_bytes(4)) * 4;
    if (info->max_head > SWIN2SR__VK_MAX_HEAD)
        info->max_head = SWIN2SR__VK_MAX_HEAD;
    gpu->memory_bytes = (size_t)(info->memory_bytes / 10 * 8);
    if (largest.maxMemoryAllocationSize && largest.maxMemoryAllocationSize < gpu->memory_bytes)
        gpu->memory_bytes = (size_t)largest.maxMemoryAllocationSize;
}

/* ---- the list ---- */

static swin2sr_status open_instance(swin2sr__vk_gpu *gpu, swin2sr_error *reterr) {
    VkApplicationInfo application = {
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "swin2sr", .apiVersion = VK_API_VERSION_1_2};
    VkInstanceCreateInfo create = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
    swin2sr_status status = swin2sr__vk_load(&gpu->api, reterr);
    if (status != SWIN2SR_OK)
        return status;
    VkResult result = gpu->api.CreateInstance(&create, NULL, &gpu->instance);
    if (result != VK_SUCCESS)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "Vulkan: %s", swin2sr__vk_result_text(result));
    return swin2sr__vk_load_instance(&gpu->api, gpu->instance, reterr);
}

static swin2sr_status find_devices(swin2sr__vk_gpu *gpu, VkPhysicalDevice devices[SWIN2SR__MAX_DEVICES],
                                   uint32_t *ret_count, swin2sr_error *reterr) {
    uint32_t count = SWIN2SR__MAX_DEVICES;
    swin2sr_status status = open_instance(gpu, reterr);
    if (status != SWIN2SR_OK)
        return status;
    VkResult result = gpu->api.EnumeratePhysicalDevices(gpu->instance, &count, devices);
    if (result < 0 || count == 0)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "Vulkan: %s",
                                  result < 0 ? swin2sr__vk_result_text(result) : "there is no device");
    *ret_count = count;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__vk_list(swin2sr__device_info *infos, size_t capacity, size_t *ret_count,
                                swin2sr_error *reterr) {
    VkPhysicalDevice devices[SWIN2SR__MAX_DEVICES];
    swin2sr__vk_gpu gpu = {0};
    uint32_t count = 0;
    swin2sr_status status = find_devices(&gpu, devices, &count, reterr);
    for (uint32_t i = 0; i < count && i < capacity; i++) {
        gpu.physical = devices[i];
        describe(&gpu);
        infos[i] = gpu.info;
    }
    swin2sr__vk_gpu_close(&gpu);
    if (status == SWIN2SR_OK)
        *ret_count = count < capacity ? count : capacity;
    return status;
}

/* ---- one device ---- */

/* Whether the device that was described can run networks with such heads.  errors: _UNSUPPORTED. */
static swin2sr_status check(const swin2sr__vk_gpu *gpu, int32_t head, swin2sr_error *reterr) {
    uint32_t needed = swin2sr__vk_shared_bytes(head);
    if (gpu->info.problem)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "%.100s: %s", gpu->info.name, gpu->info.problem);
    if (gpu->shared_bytes < needed)
        return swin2sr__error_set(
            reterr, SWIN2SR_UNSUPPORTED,
            "%.100s: heads of %d channels need %u KiB of shared memory, a workgroup has %u KiB; use another device",
            gpu->info.name, head, needed >> 10, gpu->shared_bytes >> 10);
    return SWIN2SR_OK;
}

/* Describe the device that is asked for.  errors: _INVALID: there are fewer; _UNSUPPORTED. */
static swin2sr_status choose(swin2sr__vk_gpu *gpu, int32_t index, int32_t head, swin2sr_error *reterr) {
    VkPhysicalDevice devices[SWIN2SR__MAX_DEVICES];
    uint32_t count;
    swin2sr_status status = find_devices(gpu, devices, &count, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (index >= (int32_t)count)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "device vulkan:%d: must be vulkan:0..%u; 'swin2sr device list' names them", index,
                                  count - 1);
    status = swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "no GPU that can be used; 'swin2sr device list' says why");
    for (uint32_t i = index < 0 ? 0 : (uint32_t)index; i < count; i++) {
        gpu->physical = devices[i];
        describe(gpu);
        if (index >= 0 || gpu->info.is_gpu)
            status = check(gpu, head, reterr);
        if (index >= 0 || status == SWIN2SR_OK)
            return status;
    }
    return status;
}

swin2sr_status swin2sr__vk_gpu_open(swin2sr__vk_gpu *ret_gpu, int32_t index, int32_t head, swin2sr_error *reterr) {
    swin2sr__vk_gpu gpu = {0};
    float priority = 0.5f;
    swin2sr_status status = choose(&gpu, index, head, reterr);
    if (status == SWIN2SR_OK) {
        VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                         .queueFamilyIndex = gpu.family,
                                         .queueCount = 1,
                                         .pQueuePriorities = &priority};
        VkPhysicalDevice16BitStorageFeatures halves = {.sType =
                                                           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
                                                       .storageBuffer16BitAccess = gpu.info.has_fp16};
        VkDeviceCreateInfo create = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = &halves,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue};
        VkResult result = gpu.api.CreateDevice(gpu.physical, &create, NULL, &gpu.device);
        if (result != VK_SUCCESS)
            status = swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "%.100s: %s", gpu.info.name,
                                        swin2sr__vk_result_text(result));
    }
    if (status == SWIN2SR_OK)
        status = swin2sr__vk_load_device(&gpu.api, gpu.device, reterr);
    if (status != SWIN2SR_OK) {
        swin2sr__vk_gpu_close(&gpu);
        return status;
    }
    gpu.api.GetDeviceQueue(gpu.device, gpu.family, 0, &gpu.queue);
    *ret_gpu = gpu;
    return SWIN2SR_OK;
}

void swin2sr__vk_gpu_close(swin2sr__vk_gpu *gpu) {
    if (gpu->is_stuck)
        return;
    if (gpu->device && gpu->api.DestroyDevice)
        gpu->api.DestroyDevice(gpu->device, NULL);
    if (gpu->instance && gpu->api.DestroyInstance)
        gpu->api.DestroyInstance(gpu->instance, NULL);
    gpu->device = NULL;
    gpu->instance = NULL;
}

/* ---- memory ---- */

/* The first type that is allowed and has these flags; UINT32_MAX: none. */
static uint32_t find_type(const swin2sr__vk_gpu *gpu, uint32_t allowed, VkMemoryPropertyFlags flags) {
    for (uint32_t i = 0; i < gpu->memory.memoryTypeCount; i++) {
        if (allowed >> i & 1 && (gpu->memory.memoryTypes[i].propertyFlags & flags) == flags)
            return i;
    }
    return UINT32_MAX;
}

static uint32_t choose_type(const swin2sr__vk_gpu *gpu, uint32_t allowed, bool is_mapped) {
    const VkMemoryPropertyFlags visible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    uint32_t type = is_mapped ? find_type(gpu, allowed, visible | VK_MEMORY_PROPERTY_HOST_CACHED_BIT)
                              : find_type(gpu, allowed, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    return type != UINT32_MAX ? type : find_type(gpu, allowed, is_mapped ? visible : 0);
}

VkResult swin2sr__vk_buffer_new(const swin2sr__vk_gpu *gpu, size_t bytes, bool is_mapped,
                                swin2sr__vk_buffer *ret_buffer) {
    const swin2sr__vk_api *api = &gpu->api;
    swin2sr__vk_buffer self = {.bytes = bytes};
    VkBufferCreateInfo create = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                 .size = bytes,
                                 .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                          VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkMemoryRequirements needs;
    void *mapped = NULL;
    VkResult result = api->CreateBuffer(gpu->device, &create, NULL, &self.buffer);
    if (result != VK_SUCCESS)
        return result;
    api->GetBufferMemoryRequirements(gpu->device, self.buffer, &needs);
    VkMemoryAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                     .allocationSize = needs.size,
                                     .memoryTypeIndex = choose_type(gpu, needs.memoryTypeBits, is_mapped)};
    result = allocate.memoryTypeIndex == UINT32_MAX ? VK_ERROR_OUT_OF_DEVICE_MEMORY
                                                    : api->AllocateMemory(gpu->device, &allocate, NULL, &self.memory);
    if (result == VK_SUCCESS)
        result = api->BindBufferMemory(gpu->device, self.buffer, self.memory, 0);
    if (result == VK_SUCCESS && is_mapped)
        result = api->MapMemory(gpu->device, self.memory, 0, VK_WHOLE_SIZE, 0, &mapped);
    self.mapped = mapped;
    if (result == VK_SUCCESS)
        *ret_buffer = self;
    else
        swin2sr__vk_buffer_free(gpu, &self);
    return result;
}

void swin2sr__vk_buffer_free(const swin2sr__vk_gpu *gpu, swin2sr__vk_buffer *buffer) {
    if (gpu->is_stuck)
        return;
    if (buffer->buffer)
        gpu->api.DestroyBuffer(gpu->device, buffer->buffer, NULL);
    if (buffer->memory)
        gpu->api.FreeMemory(gpu->device, buffer->memory, NULL);
    *buffer = (swin2sr__vk_buffer){0};
}

bool swin2sr__vk_budget_ask(const swin2sr__vk_gpu *gpu, swin2sr__vk_budget *ret_budget) {
    VkPhysicalDeviceMemoryBudgetPropertiesEXT heaps = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
                                             .pNext = &heaps};
    if (!gpu->info.has_budget)
        return false;
    gpu->api.GetPhysicalDeviceMemoryProperties2(gpu->physical, &all);
    uint32_t heap = own_heap(&all.memoryProperties);
    *ret_budget = (swin2sr__vk_budget){heaps.heapBudget[heap], heaps.heapUsage[heap]};
    return true;
}

/* ---- commands ---- */

VkResult swin2sr__vk_commands_new(const swin2sr__vk_gpu *gpu, swin2sr__vk_commands *ret_commands) {
    swin2sr__vk_commands self = {0};
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .queueFamilyIndex = gpu->family};
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = gpu->api.CreateCommandPool(gpu->device, &pool, NULL, &self.pool);
    if (result == VK_SUCCESS) {
        VkCommandBufferAllocateInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = self.pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = 1};
        result = gpu->api.AllocateCommandBuffers(gpu->device, &buffer, &self.buffer);
    }
    if (result == VK_SUCCESS)
        result = gpu->api.CreateFence(gpu->device, &fence, NULL, &self.fence);
    if (result == VK_SUCCESS)
        *ret_commands = self;
    else
        swin2sr__vk_commands_free(gpu, &self);
    return result;
}

void swin2sr__vk_commands_free(const swin2sr__vk_gpu *gpu, swin2sr__vk_commands *commands) {
    if (gpu->is_stuck)
        return;
    if (commands->fence)
        gpu->api.DestroyFence(gpu->device, commands->fence, NULL);
    if (commands->pool)
        gpu->api.DestroyCommandPool(gpu->device, commands->pool, NULL);
    *commands = (swin2sr__vk_commands){0};
}

VkResult swin2sr__vk_commands_begin(const swin2sr__vk_gpu *gpu, swin2sr__vk_commands *commands) {
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VkResult result = gpu->api.ResetCommandPool(gpu->device, commands->pool, 0);
    return result == VK_SUCCESS ? gpu->api.BeginCommandBuffer(commands->buffer, &begin) : result;
}

VkResult swin2sr__vk_commands_run(swin2sr__vk_gpu *gpu, swin2sr__vk_commands *commands) {
    VkSubmitInfo submit = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &commands->buffer};
    VkResult result = gpu->api.EndCommandBuffer(commands->buffer);
    if (result == VK_SUCCESS)
        result = gpu->api.QueueSubmit(gpu->queue, 1, &submit, commands->fence);
    if (result == VK_SUCCESS)
        result =
            gpu->api.WaitForFences(gpu->device, 1, &commands->fence, VK_TRUE, gpu->info.is_gpu ? WAIT_NS : UINT64_MAX);
    gpu->is_stuck |= result == VK_TIMEOUT;
    if (result == VK_SUCCESS)
        result = gpu->api.ResetFences(gpu->device, 1, &commands->fence);
    return result;
}
