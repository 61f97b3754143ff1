/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/common.glsl - what all kernels share: their buffers and the numbers of one dispatch.
 * A ring is [rows][channels][width] floats; row y of the plane is at y % rows. The host's side is push in program.h. */
#extension GL_EXT_control_flow_attributes : require

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

/* The index of channel 0; the next channel is `width` further on. */
int row_at(int rows, int channels, int width, int y) {
    return y % rows * channels * width;
}
