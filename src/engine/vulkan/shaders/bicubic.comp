#version 450
/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/bicubic.comp - pixels enlarged by bicubic interpolation, for the branch of the aux head.
 * An invocation computes one value. In the second input are, for each column and then for each row of the output, the
 * four pixels that it reads, as integers, and their four weights. */
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 2) readonly buffer Places { int places[]; };

void main() {
    int x = int(gl_GlobalInvocationID.x), y = p.from + int(gl_WorkGroupID.y), c = int(gl_WorkGroupID.z);
    int C = p.channels[0], column = x * 8, row = (p.out_width + y) * 8;
    if (x >= p.out_width)
        return;
    float sum = 0.0;
    for (int j = 0; j < 4; j++) {
        int from = row_at(p.rows[0], C, p.width, places[row + j]) + c * p.width;
        float across = 0.0;
        for (int i = 0; i < 4; i++)
            across += second[column + 4 + i] * first[from + places[column + i]];
        sum += second[row + 4 + j] * across;
    }
    result[row_at(p.rows[3], C, p.out_width, y) + c * p.out_width + x] = sum;
}
