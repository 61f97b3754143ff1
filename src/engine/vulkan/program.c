/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/program.c - list the dispatches of an image.
 * The same walk runs twice: to count, and, when an image begins, to fill the list and bind the rings. */
#include "engine/vulkan/program.h"

#define CONV_COLUMNS 16
#define CONV_OUTPUTS 32
#define LINEAR_COLUMNS 64
#define LINEAR_OUTPUTS 64
#define COLUMNS 64 /* of the other kernels */
#define NARROW_SLOPE 0.2f

/* The rings of one dispatch; NULL: none. */
typedef struct rings {
    const swin2sr__vk_ring *first, *second, *added, *output, *copy;
} rings;

static uint32_t shares(int32_t n, int32_t unit) {
    return (uint32_t)((n + unit - 1) / unit);
}

/* Bind the weights and the rings; a binding without a ring, which the kernel does not use, gets the weights too. */
static void bind(const swin2sr__vk_engine *engine, VkDescriptorSet set, const swin2sr__vk_layer *layer,
                 const swin2sr__vk_ring *const bound[SWIN2SR__VK_BINDINGS - 1]) {
    VkDescriptorBufferInfo buffers[SWIN2SR__VK_BINDINGS];
    VkWriteDescriptorSet writes[SWIN2SR__VK_BINDINGS];
    for (uint32_t i = 0; i < SWIN2SR__VK_BINDINGS; i++) {
        const swin2sr__vk_ring *ring = i ? bound[i - 1] : NULL;
        buffers[i] = (VkDescriptorBufferInfo){engine->network->weights.buffer, layer->offset, layer->bytes};
        if (ring)
            buffers[i] = (VkDescriptorBufferInfo){ring->is_host ? engine->host.buffer : engine->device.buffer,
                                                  ring->offset, ring->bytes};
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = set,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .pBufferInfo = &buffers[i]};
    }
    engine->network->gpu.api.UpdateDescriptorSets(engine->network->gpu.device, SWIN2SR__VK_BINDINGS, writes, 0, NULL);
}

/* Append a dispatch with what all kinds have in common. While counting, one that is thrown away. */
static swin2sr__vk_op *add(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, swin2sr__vk_kernel kernel,
                           const swin2sr__span *span, const swin2sr__vk_layer *layer, const rings *to) {
    bool is_listed = engine->ops && engine->ops_count < engine->ops_room;
    swin2sr__vk_op *op = is_listed ? &engine->ops[engine->ops_count] : unused;
    const swin2sr__vk_ring *const bound[] = {to->first, to->second, to->added, to->output, to->copy};
    VkDescriptorSet set = op->set;
    *op = (swin2sr__vk_op){.kernel = kernel, .set = set, .span = span, .scale = 1, .limit = INT32_MAX, .groups_z = 1};
    op->variant =
        (to->first->is_half ? 1 : 0) | (to->second && to->second->is_half ? 2 : 0) | (to->output->is_half ? 4 : 0);
    op->push = (swin2sr__vk_push){.width = to->first->width,
                                  .height = to->first->height,
                                  .channels = {to->first->channels, to->second ? to->second->channels : 0},
                                  .outputs = to->first->channels,
                                  .out_width = to->output->width,
                                  .out_height = to->output->height,
                                  .out_channels = to->output->channels,
                                  .shuffle = 1,
                                  .slope = 1.0f};
    for (int i = 0; i < SWIN2SR__VK_BINDINGS - 1; i++)
        op->push.rows[i] = bound[i] ? bound[i]->rows : 0;
    if (is_listed)
        bind(engine, set, layer, bound);
    engine->ops_count++;
    return op;
}

static swin2sr__vk_op *add_conv(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, const swin2sr__span *span,
                                const swin2sr__vk_layer *layer, rings to) {
    swin2sr__vk_op *op = add(engine, unused, SWIN2SR__VK_CONV, span, layer, &to);
    op->push.outputs = layer->outputs;
    op->groups_x = shares(op->push.width, CONV_COLUMNS);
    op->groups_z = shares(layer->outputs, CONV_OUTPUTS);
    op->macs_per_row = 9.0 * op->push.width * (layer->channels[0] + layer->channels[1]) * op->groups_z * CONV_OUTPUTS;
    return op;
}

static swin2sr__vk_op *add_linear(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, const swin2sr__span *span,
                                  const swin2sr__vk_layer *layer, const swin2sr__vk_ring *from,
                                  const swin2sr__vk_ring *to) {
    swin2sr__vk_op *op = add(engine, unused, SWIN2SR__VK_LINEAR, span, layer, &(rings){.first = from, .output = to});
    op->push.outputs = layer->outputs;
    op->groups_x = shares(op->push.width, LINEAR_COLUMNS);
    op->groups_z = shares(layer->outputs, LINEAR_OUTPUTS);
    op->macs_per_row = 1.0 * op->push.width * layer->channels[0] * op->groups_z * LINEAR_OUTPUTS;
    return op;
}

static swin2sr__vk_op *add_norm(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, const swin2sr__span *span,
                                const swin2sr__vk_layer *layer, int32_t flags, rings to) {
    swin2sr__vk_op *op = add(engine, unused, SWIN2SR__VK_NORM, span, layer, &to);
    op->push.flags = flags;
    op->groups_x = shares(op->push.width, COLUMNS);
    op->macs_per_row = 8.0 * op->push.width * op->push.channels[0];
    return op;
}

static void add_attention(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, int32_t g, int32_t b) {
    const swin2sr__config *config = &engine->network->packed.network.config;
    const swin2sr__vk_ring *features = &engine->rings.features[g];
    swin2sr__vk_op *op =
        add(engine, unused, SWIN2SR__VK_ATTENTION, &engine->base.schedule.blocks[g][b],
            &engine->network->blocks[g][b].attention, &(rings){.first = features, .output = &engine->rings.attended});
    int32_t window = config->window_px, tokens = window * window;
    op->push.before = swin2sr__network_is_shifted(b) ? window - window / 2 : 0;
    op->groups_x = shares(op->push.width + op->push.before, window);
    op->groups_z = (uint32_t)config->heads;
    /* of one row of windows */
    op->macs_per_row = (double)op->groups_x * COLUMNS * config->dim * (3.0 * config->dim + 3.0 * tokens);
}

/* Attention and projection, norm; MLP, norm. The last block of a group fills the ring that the convolution reads. */
static void add_block(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, int32_t g, int32_t b) {
    const swin2sr__vk_block *block = &engine->network->blocks[g][b];
    const swin2sr__span *span = &engine->base.schedule.blocks[g][b];
    const swin2sr__vk_rings *r = &engine->rings;
    const swin2sr__vk_ring *x = &r->features[g];
    bool is_last = b == engine->network->packed.network.config.depths[g] - 1;
    add_attention(engine, unused, g, b);
    add_linear(engine, unused, span, &block->proj, &r->attended, &r->y);
    add_norm(engine, unused, span, &block->norm1, SWIN2SR__VK_ADD, (rings){.first = &r->y, .second = x, .output = x});
    add_linear(engine, unused, span, &block->fc1, x, &r->hidden)->push.flags = SWIN2SR__VK_GELU;
    add_linear(engine, unused, span, &block->fc2, &r->hidden, &r->y);
    add_norm(engine, unused, span, &block->norm2, SWIN2SR__VK_ADD,
             (rings){.first = &r->y, .second = x, .output = is_last ? &r->conv_in[g] : x});
}

/* The first two of three body convolutions. */
static void add_narrow(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, int32_t g, const swin2sr__span *span,
                       const swin2sr__vk_ring *from, const swin2sr__vk_ring *to) {
    const swin2sr__vk_narrow *narrow = &engine->network->narrows[g];
    add_conv(engine, unused, span, &narrow->conv, (rings){.first = from, .output = &engine->rings.narrowed})
        ->push.slope = NARROW_SLOPE;
    add_linear(engine, unused, span, &narrow->point, &engine->rings.narrowed, to)->push.slope = NARROW_SLOPE;
}

static void add_body(swin2sr__vk_engine *engine, swin2sr__vk_op *unused) {
    const swin2sr__vk_network *network = engine->network;
    const swin2sr__config *config = &network->packed.network.config;
    const swin2sr__schedule *s = &engine->base.schedule;
    const swin2sr__vk_rings *r = &engine->rings;
    bool is_narrow = swin2sr__network_narrow(&network->packed.network) > 0;
    int32_t groups = config->groups;
    add_conv(engine, unused, &s->embed, &network->embed, (rings){.first = &r->input, .output = &r->features[0]});
    add_norm(engine, unused, &s->embed, &network->embed_norm, SWIN2SR__VK_CENTRE,
             (rings){.first = &r->features[0], .output = &r->features[0], .copy = &r->residual[0]});
    for (int32_t g = 0; g < groups; g++) {
        bool is_last = g == groups - 1;
        for (int32_t b = 0; b < config->depths[g]; b++)
            add_block(engine, unused, g, b);
        if (is_narrow)
            add_narrow(engine, unused, g, &s->narrows[g], &r->conv_in[g], &r->narrow[g]);
        add_conv(engine, unused, &s->convs[g], &network->convs[g],
                 (rings){.first = is_narrow ? &r->narrow[g] : &r->conv_in[g],
                         .added = &r->residual[g],
                         .output = is_last ? &r->body : &r->features[g + 1],
                         .copy = is_last ? NULL : &r->residual[g + 1]});
    }
    add_norm(engine, unused, &s->convs[groups - 1], &network->final_norm, SWIN2SR__VK_CENTRE,
             (rings){.first = &r->body, .output = &r->body});
    if (is_narrow)
        add_narrow(engine, unused, groups, &s->body_narrow, &r->body, &r->body_narrow);
    add_conv(engine, unused, &s->after_body, &network->after_body,
             (rings){.first = is_narrow ? &r->body_narrow : &r->body, .second = &r->input, .output = &r->stages[0]});
}

/* Values of a ring as pixels, cropped. */
static void add_pixels(swin2sr__vk_engine *engine, swin2sr__vk_op *unused, const swin2sr__span *span, int32_t scale,
                       const swin2sr__vk_ring *from, const swin2sr__vk_ring *to, int32_t width) {
    const swin2sr__network *network = &engine->network->packed.network;
    swin2sr_pixel pixel = engine->options.output_pixel;
    swin2sr__vk_op *op =
        add(engine, unused, SWIN2SR__VK_PIXELS, span, &engine->network->embed, &(rings){.first = from, .output = to});
    op->scale = scale;
    op->limit = to->height;
    op->push.width = width;
    op->push.out_width = from->width;
    op->push.factor = 1.0f / network->config.img_range;
    for (int i = 0; i < 3; i++)
        op->push.mean[i] = network->mean[i];
    if (pixel == SWIN2SR_PIXEL_RGBF32 || pixel == SWIN2SR_PIXEL_GREYF32)
        op->push.flags = SWIN2SR__VK_FLOAT;
    op->groups_x = shares(to->width, COLUMNS);
    op->macs_per_row = 4.0 * to->width;
}

/* The branch of the aux head that enlarges the pixels. */
static void add_cubic(swin2sr__vk_engine *engine, swin2sr__vk_op *unused) {
    const swin2sr__vk_rings *r = &engine->rings;
    swin2sr__vk_op *op =
        add(engine, unused, SWIN2SR__VK_BICUBIC, &engine->base.schedule.bicubic, &engine->network->cubic,
            &(rings){.first = &r->input, .second = &r->tables, .output = &r->bicubic});
    op->groups_x = shares(r->bicubic.width, COLUMNS);
    op->groups_z = (uint32_t)r->bicubic.channels;
    op->macs_per_row = 20.0 * r->bicubic.width * r->bicubic.channels;
    add_conv(engine, unused, &engine->base.schedule.cubic, &engine->network->cubic,
             (rings){.first = &r->bicubic, .output = &r->cubic});
}

static void add_head(swin2sr__vk_engine *engine, swin2sr__vk_op *unused) {
    const swin2sr__network *network = &engine->network->packed.network;
    const swin2sr__vk_rings *r = &engine->rings;
    int32_t last = network->stages_count - 1;
    bool has_aux = swin2sr__network_has_aux(network), is_sum = network->config.head == SWIN2SR__HEAD_NONE;
    for (int32_t i = 0; i <= last; i++) {
        const swin2sr__span *span = &engine->base.schedule.stages[i];
        if (i == last && has_aux)
            add_cubic(engine, unused);
        swin2sr__vk_op *op = add_conv(engine, unused, span, &engine->network->stages[i],
                                      (rings){.first = &r->stages[i],
                                              .second = i == last && has_aux ? &r->cubic : NULL,
                                              .added = i == last && is_sum ? &r->input : NULL,
                                              .output = &r->stages[i + 1]});
        op->push.slope = network->stages[i].slope;
        op->push.shuffle = network->stages[i].shuffle;
        op->push.flags = i == last ? SWIN2SR__VK_BY_CHANNEL : 0;
        if (has_aux && i == SWIN2SR__AUX_STAGE)
            add_pixels(engine, unused, span, 1, &r->stages[i + 1], &r->aux, engine->options.width_px);
    }
    add_pixels(engine, unused, &engine->base.schedule.stages[last], network->stages[last].shuffle, &r->stages[last + 1],
               &r->output, r->stages[last + 1].width);
}

void swin2sr__vk_program_build(swin2sr__vk_engine *engine) {
    swin2sr__vk_op unused = {0};
    engine->ops_count = 0;
    add_body(engine, &unused);
    engine->head_from = engine->ops_count;
    add_head(engine, &unused);
}
