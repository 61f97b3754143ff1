/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/common.glsl - what all kernels share: their buffers and the numbers of one dispatch.
 * A ring is [rows][channels][width] floats; row y of the plane is at y % rows. The host's side is push in program.h.
 * With HALF some buffers hold half floats, and constant 2 says which: bit i is set for binding i. Values are widened when
 * they are read, so that all sums are in fp32. */
#extension GL_EXT_control_flow_attributes : require
#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
layout(constant_id = 2) const int HALVES = 0;
#endif

layout(push_constant, std430) uniform Push {
    int from, to;               /* rows to compute; attention: rows of windows */
    int width, height;          /* of the input plane */
    int rows[5];                /* of the rings in bindings 1..5; 0: there is none */
    int channels[2];            /* of the first and the second input */
    int outputs;                /* of the layer */
    int out_width, out_height;  /* what is outside is not stored */
    int out_channels;           /* of the first output's ring */
    int shuffle;                /* 1: none */
    int flags;
    int before;                 /* pixels that the first windows of a shifted block lack */
    float slope;                /* of the activation for negative values; 1: none */
    float factor;               /* of pixels */
    float mean[3];
} p;

const int FLAG_BY_CHANNEL = 1; /* outputs of a shuffle are ordered by channel, then by place; else the reverse */
const int FLAG_GELU = 2;
const int FLAG_ADD = 4;        /* norm: added to the second input */
const int FLAG_CENTRE = 8;     /* norm: the mean is subtracted */
const int FLAG_FLOAT = 16;     /* pixels are floats */

layout(std430, set = 0, binding = 0) readonly buffer Weights { vec4 weights[]; };
layout(std430, set = 0, binding = 1) readonly buffer First { float first[]; };
layout(std430, set = 0, binding = 2) readonly buffer Second { float second[]; };
layout(std430, set = 0, binding = 3) readonly buffer Added { float added[]; };
layout(std430, set = 0, binding = 4) writeonly buffer Output { float result[]; };
layout(std430, set = 0, binding = 5) writeonly buffer Copy { float result_copy[]; };

#ifdef HALF
layout(std430, set = 0, binding = 0) readonly buffer WeightHalves { f16vec4 weight_halves[]; };
layout(std430, set = 0, binding = 1) readonly buffer FirstHalves { float16_t first_halves[]; };
layout(std430, set = 0, binding = 2) readonly buffer SecondHalves { float16_t second_halves[]; };
layout(std430, set = 0, binding = 4) writeonly buffer OutputHalves { float16_t result_halves[]; };
#endif

/* Four weights of products, which begin at quad `base` of the layer. What comes before them are always floats. */
vec4 weight_at(int base, int i) {
#ifdef HALF
    if ((HALVES & 1) != 0)
        return vec4(weight_halves[2 * base + i]);
#endif
    return weights[base + i];
}

float first_at(int i) {
#ifdef HALF
    if ((HALVES & 2) != 0)
        return float(first_halves[i]);
#endif
    return first[i];
}

float second_at(int i) {
#ifdef HALF
    if ((HALVES & 4) != 0)
        return float(second_halves[i]);
#endif
    return second[i];
}

/* A half that would be infinite becomes the largest that is not. */
void put(int i, float value) {
#ifdef HALF
    if ((HALVES & 16) != 0) {
        result_halves[i] = float16_t(clamp(value, -65504.0, 65504.0));
        return;
    }
#endif
    result[i] = value;
}

/* The index of channel 0; the next channel is `width` further on. */
int row_at(int rows, int channels, int width, int y) {
    return y % rows * channels * width;
}
