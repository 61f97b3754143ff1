/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/pipelines.c - the kernels, compiled by the driver.
 * In: shaders/NAME.spv and, for halves, NAME_half.spv, embedded as they are; tools/check_shaders.py compares them with their
 * sources.
 * Out: the pipelines that a network needs. All have six buffers and one block of numbers. */
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

#define EMBED_BOTH(name) EMBED(name) EMBED(name##_half)

SHADERS(EMBED_BOTH)

typedef struct shader {
    const uint32_t *begin, *end;
} shader;

#define ROW(name)                                            \
    {{swin2sr__shader_##name, swin2sr__shader_##name##_end}, \
     {swin2sr__shader_##name##_half, swin2sr__shader_##name##_half_end}},

static const shader shaders[SWIN2SR__VK_KERNELS][2] = {SHADERS(ROW)}; /* for floats, for halves */

#define FIRST 1
#define SECOND 2
#define OUTPUT 4

/* The variants that the programs of all networks use with halves: bit i for variant i. */
static const uint8_t halves[SWIN2SR__VK_KERNELS] = {
    [SWIN2SR__VK_CONV] = 1 | 1 << FIRST | 1 << OUTPUT | 1 << (FIRST | OUTPUT) | 1 << (FIRST | SECOND),
    [SWIN2SR__VK_LINEAR] = 1 << FIRST | 1 << OUTPUT | 1 << (FIRST | OUTPUT),
    [SWIN2SR__VK_NORM] = 1 | 1 << OUTPUT,
    [SWIN2SR__VK_ATTENTION] = 1 << OUTPUT,
    [SWIN2SR__VK_PIXELS] = 1 | 1 << FIRST,
    [SWIN2SR__VK_BICUBIC] = 1,
};

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

/* The bindings of a variant that hold halves: constant 2 in shaders/common.glsl. */
static int32_t bindings_of(const swin2sr__vk_network *network, swin2sr__vk_kernel kernel, int variant) {
    bool has_products = kernel == SWIN2SR__VK_CONV || kernel == SWIN2SR__VK_LINEAR || kernel == SWIN2SR__VK_ATTENTION;
    return (network->is_half && has_products ? 1 : 0) | (variant & FIRST ? 1 << 1 : 0) |
           (variant & SECOND ? 1 << 2 : 0) | (variant & OUTPUT ? 1 << 4 : 0);
}

static VkResult create_pipeline(swin2sr__vk_network *network, swin2sr__vk_kernel kernel, int variant) {
    const swin2sr__vk_api *api = &network->gpu.api;
    const swin2sr__config *config = &network->packed.network.config;
    const shader *from = &shaders[kernel][network->is_half];
    const int32_t values[] = {config->dim / config->heads, config->window_px, bindings_of(network, kernel, variant)};
    const VkSpecializationMapEntry entries[] = {
        {0, 0, sizeof(int32_t)}, {1, sizeof(int32_t), sizeof(int32_t)}, {2, 2 * sizeof(int32_t), sizeof(int32_t)}};
    VkSpecializationInfo constants = {3, entries, sizeof values, values};
    VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                     .codeSize = (size_t)((const char *)from->end - (const char *)from->begin),
                                     .pCode = from->begin};
    VkShaderModule module;
    VkResult result = api->CreateShaderModule(network->gpu.device, &code, NULL, &module);
    if (result != VK_SUCCESS)
        return result;
    VkComputePipelineCreateInfo create = {.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                          .layout = network->layout,
                                          .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                    .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                    .module = module,
                                                    .pName = "main",
                                                    .pSpecializationInfo = &constants}};
    result = api->CreateComputePipelines(network->gpu.device, network->cache.cache, 1, &create, NULL,
                                         &network->pipelines[kernel][variant]);
    api->DestroyShaderModule(network->gpu.device, module, NULL);
    return result;
}

VkResult swin2sr__vk_pipelines_new(swin2sr__vk_network *network) {
    VkResult result = create_layouts(network);
    swin2sr__vk_cache_open(&network->gpu, network->cache_fd, &network->cache);
    for (int i = 0; i < SWIN2SR__VK_KERNELS * SWIN2SR__VK_VARIANTS && result == VK_SUCCESS; i++) {
        int kernel = i / SWIN2SR__VK_VARIANTS, variant = i % SWIN2SR__VK_VARIANTS;
        if ((network->is_half ? halves[kernel] : 1) >> variant & 1)
            result = create_pipeline(network, (swin2sr__vk_kernel)kernel, variant);
    }
    swin2sr__vk_cache_close(&network->gpu, network->cache_fd, &network->cache);
    return result;
}

void swin2sr__vk_pipelines_free(swin2sr__vk_network *network) {
    const swin2sr__vk_api *api = &network->gpu.api;
    if (network->gpu.is_stuck)
        return;
    for (int i = 0; i < SWIN2SR__VK_KERNELS * SWIN2SR__VK_VARIANTS; i++) {
        VkPipeline pipeline = network->pipelines[i / SWIN2SR__VK_VARIANTS][i % SWIN2SR__VK_VARIANTS];
        if (pipeline)
            api->DestroyPipeline(network->gpu.device, pipeline, NULL);
    }
    if (network->layout)
        api->DestroyPipelineLayout(network->gpu.device, network->layout, NULL);
    if (network->set_layout)
        api->DestroyDescriptorSetLayout(network->gpu.device, network->set_layout, NULL);
}
