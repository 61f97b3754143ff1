/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/api.h - the functions of Vulkan that the device uses, found at run time.
 * The program is not linked with a Vulkan library. libvulkan.so.1 is loaded when a device is listed or opened. */
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include <swin2sr/status.h>

/* Found without an instance, with an instance, and with a device. */
#define SWIN2SR__VK_GLOBAL(f) f(CreateInstance) f(EnumerateInstanceVersion)
#define SWIN2SR__VK_INSTANCE(f)                                                     \
    f(DestroyInstance) f(EnumeratePhysicalDevices) f(GetPhysicalDeviceProperties2)  \
        f(GetPhysicalDeviceMemoryProperties) f(GetPhysicalDeviceMemoryProperties2)  \
            f(GetPhysicalDeviceQueueFamilyProperties) f(GetPhysicalDeviceFeatures2) \
                f(EnumerateDeviceExtensionProperties) f(CreateDevice) f(GetDeviceProcAddr)
#define SWIN2SR__VK_DEVICE(f)                                                                                         \
    f(DestroyDevice) f(GetDeviceQueue) f(CreateBuffer) f(DestroyBuffer) f(GetBufferMemoryRequirements)                \
        f(AllocateMemory) f(FreeMemory) f(BindBufferMemory) f(MapMemory) f(CreateShaderModule) f(DestroyShaderModule) \
            f(CreateDescriptorSetLayout) f(DestroyDescriptorSetLayout) f(CreatePipelineLayout)                        \
                f(DestroyPipelineLayout) f(CreatePipelineCache) f(GetPipelineCacheData) f(DestroyPipelineCache)       \
                    f(CreateComputePipelines) f(DestroyPipeline) f(CreateDescriptorPool) f(DestroyDescriptorPool)     \
                        f(AllocateDescriptorSets) f(UpdateDescriptorSets) f(CreateCommandPool) f(DestroyCommandPool)  \
                            f(ResetCommandPool) f(AllocateCommandBuffers) f(BeginCommandBuffer) f(EndCommandBuffer)   \
                                f(CmdBindPipeline) f(CmdBindDescriptorSets) f(CmdPushConstants) f(CmdDispatch)        \
                                    f(CmdPipelineBarrier) f(CmdCopyBuffer) f(QueueSubmit) f(CreateFence)              \
                                        f(DestroyFence) f(ResetFences) f(WaitForFences)

#define SWIN2SR__VK_FIELD(name) PFN_vk##name name;

typedef struct swin2sr__vk_api {
    void *library;
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    SWIN2SR__VK_GLOBAL(SWIN2SR__VK_FIELD)
    SWIN2SR__VK_INSTANCE(SWIN2SR__VK_FIELD)
    SWIN2SR__VK_DEVICE(SWIN2SR__VK_FIELD)
} swin2sr__vk_api;

/* Load the library and the functions that need no instance.  errors: _UNSUPPORTED, saying what to install. */
swin2sr_status swin2sr__vk_load(swin2sr__vk_api *ret_api, swin2sr_error *reterr);
/* Find the functions of an instance and of a device. errors: _UNSUPPORTED, naming the one that is missing. */
swin2sr_status swin2sr__vk_load_instance(swin2sr__vk_api *api, VkInstance instance, swin2sr_error *reterr);
swin2sr_status swin2sr__vk_load_device(swin2sr__vk_api *api, VkDevice device, swin2sr_error *reterr);
/* The library stays loaded: drivers start threads and keep data of threads, which no longer work after an unload. */

/* "out of device memory", "device lost", ... */
const char *swin2sr__vk_result_text(VkResult result);
