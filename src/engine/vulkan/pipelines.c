/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/pipelines.c - the kernels, compiled by the driver.
 * In: shaders/NAME.spv, embedded as they are; tools/check_shaders.py compares them with their sources.
 * Out: one pipeline for each. All have six buffers and one block of numbers. */
#include <stdint.h>

#include "engine/vulkan/network.h"
#include "engine/vulkan/program.h"

#define EMBED(name)                                           \
    __asm__(".pushsection .rodata\n"                          \
            ".balign 64\n"                                    \
            "swin2sr__shader_" #name ":\n"                    \
            ".incbin \"" SWIN2SR_SHADERS "/" #name ".spv\"\n" \
            "swin2sr__shader_" #name "_end:\n"                \
            ".byte 0\n"                                       \
            ".popsection\n");                                 \
    extern const uint32_t swin2sr__shader_##name[], swin2sr__shader_##name##_end[];

#define SHADERS(f) f(conv) f(linear) f(norm) f(attention) f(pixels) f(bicubic) /* in the order of swin2sr__vk_kernel */

SHADERS(EMBED)

typedef struct shader {
    const uint32_t *begin, *end;
} shader;

#define ROW(name) {swin2sr__shader_##name, swin2sr__shader_##name##_end},

static const shader shaders[SWIN2SR__VK_KERNELS] = {SHADERS(ROW)};

static VkResult create_layouts(swin2sr__vk_network *network) {
    VkDescriptorSetLayoutBinding bindings[SWIN2SR__VK_BINDINGS];
    for (uint32_t i = 0; i < SWIN2SR__VK_BINDINGS; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){.binding = i,
                                                     .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                                     .descriptorCount = 1,
                                                     .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                           .bindingCount = SWIN2SR__VK_BINDINGS,
                                           .pBindings = bindings};
    VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = sizeof(swin2sr__vk_push)};
    VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                         .setLayoutCount = 1,
                                         .pSetLayouts = &network->set_layout,
                                         .pushConstantRangeCount = 1,
                                         .pPushConstantRanges = &push};
    const swin2sr__vk_api *api = &network->gpu.api;
    VkResult result = api->CreateDescriptorSetLayout(network->gpu.device, &set, NULL, &network->set_layout);
    return result == VK_SUCCESS ? api->CreatePipelineLayout(network->gpu.device, &layout, NULL, &network->layout)
                                : result;
}

/* constants  The head size and the window, which only the attention reads. */
static VkResult create_pipeline(swin2sr__vk_network *network, swin2sr__vk_kernel kernel,
                                const VkSpecializationInfo *constants) {
    const swin2sr__vk_api *api = &network->gpu.api;
    const shader *from = &shaders[kernel];
    VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                     .codeSize = (size_t)((const char *)from->end - (const char *)from->begin),
                                     .pCode = from->begin};
    VkShaderModule module;
    VkResult result = api->CreateShaderModule(network->gpu.device, &code, NULL, &module);
    if (result != VK_SUCCESS)
        return result;
    VkComputePipelineCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .layout = network->layout,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = kernel == SWIN2SR__VK_ATTENTION ? constants : NULL}};
    result = api->CreateComputePipelines(network->gpu.device, network->cache.cache, 1, &create, NULL,
                                         &network->pipelines[kernel]);
    api->DestroyShaderModule(network->gpu.device, module, NULL);
    return result;
}

VkResult swin2sr__vk_pipelines_new(swin2sr__vk_network *network) {
    const swin2sr__config *config = &network->packed.network.config;
    const int32_t values[] = {config->dim / config->heads, config->window_px};
    const VkSpecializationMapEntry entries[] = {{0, 0, sizeof(int32_t)}, {1, sizeof(int32_t), sizeof(int32_t)}};
    VkSpecializationInfo constants = {2, entries, sizeof values, values};
    VkResult result = create_layouts(network);
    swin2sr__vk_cache_open(&network->gpu, network->cache_fd, &network->cache);
    for (int i = 0; i < SWIN2SR__VK_KERNELS && result == VK_SUCCESS; i++)
        result = create_pipeline(network, (swin2sr__vk_kernel)i, &constants);
    swin2sr__vk_cache_close(&network->gpu, network->cache_fd, &network->cache);
    return result;
}

void swin2sr__vk_pipelines_free(swin2sr__vk_network *network) {
    const swin2sr__vk_api *api = &network->gpu.api;
    for (int i = 0; i < SWIN2SR__VK_KERNELS; i++) {
        if (network->pipelines[i])
            api->DestroyPipeline(network->gpu.device, network->pipelines[i], NULL);
    }
    if (network->layout)
        api->DestroyPipelineLayout(network->gpu.device, network->layout, NULL);
    if (network->set_layout)
        api->DestroyDescriptorSetLayout(network->gpu.device, network->set_layout, NULL);
}
