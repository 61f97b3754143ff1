/* SPDX-License-Identifier: Apache-2.0
 * tests/faults/vulkan.c - a libvulkan.so.1 for LD_LIBRARY_PATH, which calls the real one and lets calls fail.
 * In: the file that SWIN2SR_TEST_VULKAN names, in which are the faults that are on, with blanks between them
 * (vulkan_faults.py writes it). It is mapped, so that a test switches faults on and off while a locked worker runs.
 *   lost=N       the device is lost at submission N of this process
 *   full=N       allocations of N bytes of the device's memory, or more, fail
 *   no-driver    no driver starts
 *   no-fp16      the driver has no 16-bit storage: it offers none, and refuses devices and kernels that ask for it
 *   shared=N     a workgroup has N bytes of shared memory
 *   two          the device is there twice
 *   gpu          it says that it is a card
 *   barrier=N    barrier N of this process is left out
 * In: the folder that SWIN2SR_TEST_KERNELS names: a kernel whose bytes have the hash H is replaced by its file H.spv. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#define TEXT 128 /* bytes of the file */
#define SHOWN __attribute__((visibility("default")))
#define CAPABILITY 0x00020011u /* SPIR-V: two words, the second says which */
#define CAPABILITY_16_BIT_STORAGE 4433

static const char *faults;
static PFN_vkGetInstanceProcAddr real_instance;
static PFN_vkGetDeviceProcAddr real_device;
static PFN_vkCreateInstance real_create;
static PFN_vkCreateDevice real_create_device;
static PFN_vkEnumeratePhysicalDevices real_enumerate;
static PFN_vkGetPhysicalDeviceProperties2 real_properties;
static PFN_vkGetPhysicalDeviceFeatures2 real_features;
static PFN_vkQueueSubmit real_submit;
static PFN_vkAllocateMemory real_allocate;
static PFN_vkCreateShaderModule real_shader;
static PFN_vkCmdPipelineBarrier real_barrier;
static atomic_long submissions, barriers;

/* The number of a fault, 1 if it has none; 0: it is off. */
static long fault(const char *name) {
    char text[TEXT + 1] = "", *rest = text;
    if (faults)
        memcpy(text, faults, TEXT);
    for (char *word; (word = strsep(&rest, " "));) {
        size_t length = strcspn(word, "=");
        if (length == strlen(name) && strncmp(word, name, length) == 0)
            return word[length] ? atol(word + length + 1) : 1;
    }
    return 0;
}

/* ---- what a driver says of a device ---- */

static VkResult create(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator, VkInstance *instance) {
    return fault("no-driver") ? VK_ERROR_INCOMPATIBLE_DRIVER : real_create(info, allocator, instance);
}

static VkResult enumerate(VkInstance instance, uint32_t *count, VkPhysicalDevice *devices) {
    uint32_t room = *count;
    VkResult result = real_enumerate(instance, count, devices);
    if (fault("two") && devices && *count == 1 && room > 1)
        devices[(*count)++] = devices[0];
    return result;
}

static void properties(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *out) {
    real_properties(device, out);
    if (fault("gpu"))
        out->properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    if (fault("shared"))
        out->properties.limits.maxComputeSharedMemorySize = (uint32_t)fault("shared");
}

/* The 16-bit storage in a list of features; NULL: it is not asked for. */
static VkPhysicalDevice16BitStorageFeatures *find_halves(const void *list) {
    VkBaseOutStructure *each;
    for (memcpy(&each, &list, sizeof each); each; each = each->pNext)
        if (each->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES)
            break;
    return (VkPhysicalDevice16BitStorageFeatures *)each;
}

static void features(VkPhysicalDevice device, VkPhysicalDeviceFeatures2 *out) {
    real_features(device, out);
    VkPhysicalDevice16BitStorageFeatures *halves = find_halves(out);
    if (halves && fault("no-fp16"))
        halves->storageBuffer16BitAccess = halves->uniformAndStorageBuffer16BitAccess = VK_FALSE;
}

static VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                              const VkAllocationCallbacks *allocator, VkDevice *device) {
    const VkPhysicalDevice16BitStorageFeatures *halves = find_halves(info->pNext);
    if (halves && halves->storageBuffer16BitAccess && fault("no-fp16"))
        return VK_ERROR_FEATURE_NOT_PRESENT;
    return real_create_device(physical, info, allocator, device);
}

/* ---- what it does ---- */

static VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *work, VkFence fence) {
    long lost = fault("lost"), number = atomic_fetch_add(&submissions, 1) + 1;
    return lost && number >= lost ? VK_ERROR_DEVICE_LOST : real_submit(queue, count, work, fence);
}

static VkResult allocate(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *allocator,
                         VkDeviceMemory *memory) {
    long full = fault("full");
    return full && info->allocationSize >= (VkDeviceSize)full ? VK_ERROR_OUT_OF_DEVICE_MEMORY
                                                              : real_allocate(device, info, allocator, memory);
}

static void barrier(VkCommandBuffer to, VkPipelineStageFlags before, VkPipelineStageFlags after,
                    VkDependencyFlags flags, uint32_t memory_count, const VkMemoryBarrier *memory,
                    uint32_t buffer_count, const VkBufferMemoryBarrier *buffers, uint32_t image_count,
                    const VkImageMemoryBarrier *images) {
    if (atomic_fetch_add(&barriers, 1) + 1 != fault("barrier"))
        real_barrier(to, before, after, flags, memory_count, memory, buffer_count, buffers, image_count, images);
}

static int asks_for_halves(const VkShaderModuleCreateInfo *info) {
    for (size_t i = 5; i + 1 < info->codeSize / 4 && info->pCode[i] == CAPABILITY; i += 2)
        if (info->pCode[i + 1] == CAPABILITY_16_BIT_STORAGE)
            return 1;
    return 0;
}

/* The file that replaces a kernel, NULL if there is none. FNV-1a of the bytes. */
static FILE *find_kernel(const VkShaderModuleCreateInfo *info) {
    const char *folder = getenv("SWIN2SR_TEST_KERNELS");
    const unsigned char *bytes = (const unsigned char *)info->pCode;
    unsigned long long hash = 0xcbf29ce484222325;
    char path[4096];
    for (size_t i = 0; i < info->codeSize; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    snprintf(path, sizeof path, "%s/%016llx.spv", folder ? folder : "/nowhere", hash);
    return fopen(path, "rbe");
}

static VkResult shader(VkDevice device, const VkShaderModuleCreateInfo *info, const VkAllocationCallbacks *allocator,
                       VkShaderModule *module) {
    static uint32_t code[1 << 16];
    VkShaderModuleCreateInfo changed = *info;
    FILE *file = find_kernel(info);
    if (file) {
        changed.codeSize = fread(code, 1, sizeof code, file);
        changed.pCode = code;
        fclose(file);
    }
    if (fault("no-fp16") && asks_for_halves(info))
        return VK_ERROR_FEATURE_NOT_PRESENT;
    return real_shader(device, &changed, allocator, module);
}

/* ---- the library ---- */

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
    REPLACE("vkCreateShaderModule", real_shader, shader)
    REPLACE("vkCmdPipelineBarrier", real_barrier, barrier)
    return found;
}

SHOWN PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name);
PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name) {
    PFN_vkVoidFunction found = real_instance(instance, name);
    REPLACE("vkCreateInstance", real_create, create)
    REPLACE("vkCreateDevice", real_create_device, create_device)
    REPLACE("vkEnumeratePhysicalDevices", real_enumerate, enumerate)
    REPLACE("vkGetPhysicalDeviceProperties2", real_properties, properties)
    REPLACE("vkGetPhysicalDeviceFeatures2", real_features, features)
    REPLACE("vkGetDeviceProcAddr", real_device, device_function)
    return found;
}

__attribute__((constructor)) static void load(void) {
    const char *path = getenv("SWIN2SR_TEST_VULKAN");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = fd >= 0 ? mmap(NULL, TEXT, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    faults = map != MAP_FAILED ? map : NULL;
    void *library = dlopen(REAL_VULKAN, RTLD_NOW | RTLD_LOCAL), *function;
    function = library ? dlsym(library, "vkGetInstanceProcAddr") : NULL;
    if (!function)
        abort();
    memcpy(&real_instance, &function, sizeof function);
    if (fd >= 0)
        close(fd);
}
