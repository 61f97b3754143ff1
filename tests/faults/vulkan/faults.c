/* SPDX-License-Identifier: Apache-2.0
 * tests/faults/vulkan/faults.c - libvulkan.so.1 with faults: it forwards to the real one, which REAL_VULKAN names.
 * A program that loads Vulkan finds it first if LD_LIBRARY_PATH names its folder. SWIN2SR_VULKAN_FAULTS lists, with commas:
 *   lost=N    submission N and all later ones of a device fail: the device is lost
 *   full=N    allocations of more than N bytes fail: out of device memory
 *   no-fp16   no driver has 16-bit storage
 *   two       there are two devices: the first, twice */
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static PFN_vkGetInstanceProcAddr real_instance;
static PFN_vkGetDeviceProcAddr real_device;
static PFN_vkEnumeratePhysicalDevices real_enumerate;
static PFN_vkGetPhysicalDeviceFeatures2 real_features;
static PFN_vkQueueSubmit real_submit;
static PFN_vkAllocateMemory real_allocate;
static atomic_long submissions;

/* The number of a fault, 1 if it has none; 0: it is not wanted. */
static long fault(const char *name) {
    const char *text = getenv("SWIN2SR_VULKAN_FAULTS");
    size_t length = strlen(name);
    while (text && *text) {
        if (strncmp(text, name, length) == 0 && strchr("=,", text[length]))
            return text[length] == '=' ? atol(text + length + 1) : 1;
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
    return 0;
}

static VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence) {
    long lost = fault("lost");
    return lost && ++submissions >= lost ? VK_ERROR_DEVICE_LOST : real_submit(queue, count, infos, fence);
}

static VkResult allocate(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *callbacks,
                         VkDeviceMemory *memory) {
    long full = fault("full");
    return full && info->allocationSize > (VkDeviceSize)full ? VK_ERROR_OUT_OF_DEVICE_MEMORY
                                                             : real_allocate(device, info, callbacks, memory);
}

static VkResult enumerate(VkInstance instance, uint32_t *count, VkPhysicalDevice *devices) {
    uint32_t room = *count;
    VkResult result = real_enumerate(instance, count, devices);
    if (result >= 0 && devices && *count > 0 && room > 1 && fault("two")) {
        devices[1] = devices[0];
        *count = 2;
    }
    return result;
}

static void tell_features(VkPhysicalDevice device, VkPhysicalDeviceFeatures2 *features) {
    real_features(device, features);
    for (VkBaseOutStructure *each = features->pNext; each && fault("no-fp16"); each = each->pNext)
        if (each->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES)
            ((VkPhysicalDevice16BitStorageFeatures *)each)->storageBuffer16BitAccess = VK_FALSE;
}

/* Keep the real function and give out the one of this file. All pointers to functions have one representation. */
static PFN_vkVoidFunction replace(PFN_vkVoidFunction real, void *keep, PFN_vkVoidFunction own) {
    memcpy(keep, &real, sizeof real);
    return real ? own : NULL;
}

static PFN_vkVoidFunction find_device(VkDevice device, const char *name) {
    PFN_vkVoidFunction real = real_device(device, name);
    if (strcmp(name, "vkQueueSubmit") == 0)
        return replace(real, &real_submit, (PFN_vkVoidFunction)submit);
    if (strcmp(name, "vkAllocateMemory") == 0)
        return replace(real, &real_allocate, (PFN_vkVoidFunction)allocate);
    return real;
}

__attribute__((visibility("default"))) PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name);

PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name) {
    if (!real_instance) {
        void *library = dlopen(REAL_VULKAN, RTLD_NOW | RTLD_LOCAL);
        void *found = library ? dlsym(library, "vkGetInstanceProcAddr") : NULL;
        if (!found)
            return NULL;
        memcpy(&real_instance, &found, sizeof found);
    }
    PFN_vkVoidFunction real = real_instance(instance, name);
    if (strcmp(name, "vkGetDeviceProcAddr") == 0)
        return replace(real, &real_device, (PFN_vkVoidFunction)find_device);
    if (strcmp(name, "vkEnumeratePhysicalDevices") == 0)
        return replace(real, &real_enumerate, (PFN_vkVoidFunction)enumerate);
    if (strcmp(name, "vkGetPhysicalDeviceFeatures2") == 0)
        return replace(real, &real_features, (PFN_vkVoidFunction)tell_features);
    return real;
}
