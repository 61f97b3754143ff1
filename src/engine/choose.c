/* SPDX-License-Identifier: Apache-2.0
 * engine/choose.c - the devices, and the choice of one when a model is opened. */
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/self_test.h"

#ifdef SWIN2SR_HAS_VULKAN
static const swin2sr__device *const gpu = &swin2sr__device_vulkan;

swin2sr_status swin2sr__device_list(swin2sr__device_info infos[SWIN2SR__MAX_DEVICES], size_t *ret_count,
                                    swin2sr_error *reterr) {
    return gpu->list(infos, SWIN2SR__MAX_DEVICES, ret_count, reterr);
}
#else
static const swin2sr__device *const gpu = NULL;

swin2sr_status swin2sr__device_list(swin2sr__device_info infos[SWIN2SR__MAX_DEVICES], size_t *ret_count,
                                    swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "this program was built without Vulkan (libvulkan-dev)");
}
#endif

static swin2sr_status pack_on(const swin2sr__device *device, const swin2sr__network *network,
                              const swin2sr__weights *weights, const swin2sr_model_options *options,
                              swin2sr__packed **ret_packed, swin2sr_error *reterr) {
    swin2sr_status status = device->pack(network, weights, options, ret_packed, reterr);
    if (status == SWIN2SR_OK)
        (*ret_packed)->device = device;
    return status;
}

/* Pack for the GPU, and compare it with the CPU before it is used. */
static swin2sr_status pack_gpu(const swin2sr__network *network, const swin2sr__weights *weights,
                               const swin2sr_model_options *options, swin2sr__packed **ret_packed,
                               swin2sr_error *reterr) {
    const swin2sr_model_options exact = {.precision = SWIN2SR_PRECISION_FP32};
    swin2sr__packed *packed = NULL, *reference = NULL;
    if (!gpu)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "this program was built without Vulkan (libvulkan-dev)");
    swin2sr_status status = pack_on(gpu, network, weights, options, &packed, reterr);
    if (status == SWIN2SR_OK)
        status = pack_on(&swin2sr__device_cpu, network, weights, &exact, &reference, reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr__engine_self_test(packed, reference, reterr);
    if (reference)
        reference->device->unpack(reference);
    if (status == SWIN2SR_OK)
        *ret_packed = packed;
    else if (packed)
        gpu->unpack(packed);
    return status;
}

swin2sr_status swin2sr__engine_pack(const swin2sr__network *network, const swin2sr__weights *weights,
                                    const swin2sr_model_options *options, swin2sr__packed **ret_packed,
                                    swin2sr_error *reterr) {
    static const swin2sr_model_options defaults;
    options = options ? options : &defaults;
    const char *device = options->device ? options->device : "cpu";
    bool is_auto = strcmp(device, "auto") == 0, is_cpu = strcmp(device, "cpu") == 0;
    swin2sr_error why = {""};
    if (!is_auto && !is_cpu && strncmp(device, "vulkan", strlen("vulkan")) != 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "device %.40s: must be auto, cpu, vulkan or vulkan:N",
                                  device);
    if (!is_cpu) {
        swin2sr_status status = pack_gpu(network, weights, options, ret_packed, is_auto ? &why : reterr);
        if (!is_auto || status == SWIN2SR_OK)
            return status;
    }
    swin2sr_status status = pack_on(&swin2sr__device_cpu, network, weights, options, ret_packed, reterr);
    if (status == SWIN2SR_OK && is_auto)
        snprintf((*ret_packed)->device_note, sizeof(*ret_packed)->device_note, "device auto: the CPU; %.220s",
                 why.text);
    return status;
}
