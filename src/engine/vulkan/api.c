/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/api.c - load libvulkan.so.1 and look up its functions by name. */
#include "engine/vulkan/api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

typedef struct row {
    const char *name;
    size_t offset;
} row;

#define ROW(name) {"vk" #name, offsetof(swin2sr__vk_api, name)},

static const row of_global[] = {SWIN2SR__VK_GLOBAL(ROW)};
static const row of_instance[] = {SWIN2SR__VK_INSTANCE(ROW)};
static const row of_device[] = {SWIN2SR__VK_DEVICE(ROW)};

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Store a function under its row; all pointers to functions have one representation. */
static swin2sr_status take(swin2sr__vk_api *api, const row *to, PFN_vkVoidFunction function, swin2sr_error *reterr) {
    if (!function)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "the installed Vulkan is too old: it has no %s",
                                  to->name);
    memcpy((char *)api + to->offset, &function, sizeof function);
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__vk_load_instance(swin2sr__vk_api *api, VkInstance instance, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    for (size_t i = 0; i < COUNT(of_instance) && status == SWIN2SR_OK; i++)
        status = take(api, &of_instance[i], api->GetInstanceProcAddr(instance, of_instance[i].name), reterr);
    return status;
}

swin2sr_status swin2sr__vk_load_device(swin2sr__vk_api *api, VkDevice device, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    for (size_t i = 0; i < COUNT(of_device) && status == SWIN2SR_OK; i++)
        status = take(api, &of_device[i], api->GetDeviceProcAddr(device, of_device[i].name), reterr);
    return status;
}

swin2sr_status swin2sr__vk_load(swin2sr__vk_api *ret_api, swin2sr_error *reterr) {
    swin2sr__vk_api api = {.library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL)};
    swin2sr_status status = SWIN2SR_OK;
    if (!api.library)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED,
                                  "no Vulkan here: install libvulkan1 and the driver of the GPU");
    void *found = dlsym(api.library, "vkGetInstanceProcAddr");
    if (!found)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "libvulkan.so.1 has no vkGetInstanceProcAddr");
    memcpy(&api.GetInstanceProcAddr, &found, sizeof found);
    for (size_t i = 0; i < COUNT(of_global) && status == SWIN2SR_OK; i++)
        status = take(&api, &of_global[i], api.GetInstanceProcAddr(NULL, of_global[i].name), reterr);
    if (status == SWIN2SR_OK)
        *ret_api = api;
    return status;
}

const char *swin2sr__vk_result_text(VkResult result) {
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return "out of host memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return "out of device memory";
    case VK_ERROR_INITIALIZATION_FAILED:
        return "the driver failed to start";
    case VK_ERROR_DEVICE_LOST:
        return "the device was lost";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
        return "no driver of a device is installed";
    case VK_ERROR_FEATURE_NOT_PRESENT:
        return "a feature is missing";
    case VK_ERROR_FRAGMENTED_POOL:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
        return "out of descriptors";
    case VK_TIMEOUT:
        return "the device does not answer";
    default:
        return "the driver reports an error";
    }
}
