/* SPDX-License-Identifier: Apache-2.0
 * tests/faults/vulkan.c - a libvulkan.so.1 for LD_LIBRARY_PATH, which calls the real one and lets calls fail.
 * In: the file that SWIN2SR_TEST_VULKAN names, one letter for each fault, mapped, so that a test switches faults on and
 * off while a locked worker runs: L every submission finds the device lost; M there is no device memory; N there is no
 * driver; 2 the device is there twice; G it says that it is a card; H it has no fp16. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#define LETTERS 16
#define SHOWN __attribute__((visibility("default")))

static const volatile char *faults;
static PFN_vkGetInstanceProcAddr real_instance;
static PFN_vkGetDeviceProcAddr real_device;
static PFN_vkCreateInstance real_create;
static PFN_vkEnumeratePhysicalDevices real_enumerate;
static PFN_vkGetPhysicalDeviceProperties2 real_properties;
static PFN_vkGetPhysicalDeviceFeatures2 real_features;
static PFN_vkQueueSubmit real_submit;
static PFN_vkAllocateMemory real_allocate;

static int is_on(char letter) {
    for (int i = 0; faults && i < LETTERS; i++)
        if (faults[i] == letter)
            return 1;
    return 0;
}

static VkResult create(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator, VkInstance *instance) {
    return is_on('N') ? VK_ERROR_INCOMPATIBLE_DRIVER : real_create(info, allocator, instance);
}

static VkResult enumerate(VkInstance instance, uint32_t *count, VkPhysicalDevice *devices) {
    uint32_t room = *count;
    VkResult result = real_enumerate(instance, count, devices);
    if (is_on('2') && devices && *count == 1 && room > 1)
        devices[(*count)++] = devices[0];
    return result;
}

static void properties(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *out) {
    real_properties(device, out);
    if (is_on('G'))
        out->properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
}

static void features(VkPhysicalDevice device, VkPhysicalDeviceFeatures2 *out) {
    real_features(device, out);
    for (VkBaseOutStructure *each = (VkBaseOutStructure *)out; each && is_on('H'); each = each->pNext)
        if (each->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)
            ((VkPhysicalDeviceVulkan12Features *)each)->shaderFloat16 = VK_FALSE;
}

static VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *work, VkFence fence) {
    return is_on('L') ? VK_ERROR_DEVICE_LOST : real_submit(queue, count, work, fence);
}

static VkResult allocate(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *allocator,
                         VkDeviceMemory *memory) {
    return is_on('M') ? VK_ERROR_OUT_OF_DEVICE_MEMORY : real_allocate(device, info, allocator, memory);
}

/* Keep the real function and give out the one from here. */
#define REPLACE(vulkan_name, real, own)            \
    if (found && strcmp(name, vulkan_name) == 0) { \
        memcpy(&(real), &found, sizeof found);     \
        return (PFN_vkVoidFunction)(own);          \
    }

static PFN_vkVoidFunction device_function(VkDevice device, const char *name) {
    PFN_vkVoidFunction found = real_device(device, name);
    REPLACE("vkQueueSubmit", real_submit, submit)
    REPLACE("vkAllocateMemory", real_allocate, allocate)
    return found;
}

SHOWN PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name);
PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name) {
    PFN_vkVoidFunction found = real_instance(instance, name);
    REPLACE("vkCreateInstance", real_create, create)
    REPLACE("vkEnumeratePhysicalDevices", real_enumerate, enumerate)
    REPLACE("vkGetPhysicalDeviceProperties2", real_properties, properties)
    REPLACE("vkGetPhysicalDeviceFeatures2", real_features, features)
    REPLACE("vkGetDeviceProcAddr", real_device, device_function)
    return found;
}

__attribute__((constructor)) static void load(void) {
    const char *path = getenv("SWIN2SR_TEST_VULKAN");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = fd >= 0 ? mmap(NULL, LETTERS, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    faults = map != MAP_FAILED ? map : NULL;
    void *library = dlopen(REAL_VULKAN, RTLD_NOW | RTLD_LOCAL), *function;
    function = library ? dlsym(library, "vkGetInstanceProcAddr") : NULL;
    if (!function)
        abort();
    memcpy(&real_instance, &function, sizeof function);
    if (fd >= 0)
        close(fd);
}
