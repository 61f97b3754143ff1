#version 450
/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/norm.comp - LayerNorm of every pixel, alone or added to a second input.
 * An invocation computes one pixel. The output may be one of the inputs: a pixel's sums are complete before it is
 * stored, and no other invocation reads that pixel.
 * Weights: gamma [C], beta [C], with C a multiple of 4. */
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 64) in;

void main() {
    int x = int(gl_GlobalInvocationID.x), y = p.from + int(gl_WorkGroupID.y), C = p.channels[0];
    if (x >= p.width)
        return;
    int from = row_at(p.rows[0], C, p.width, y) + x, base = row_at(max(p.rows[1], 1), C, p.width, y) + x;
    int to = row_at(p.rows[3], C, p.width, y) + x, copy_to = row_at(max(p.rows[4], 1), C, p.width, y) + x;
    int quads = (C + 3) / 4;
    float mean = 0.0, squares = 0.0;
    if ((p.flags & FLAG_CENTRE) != 0) {
        for (int c = 0; c < C; c++)
            mean += first[from + c * p.width];
        mean /= float(C);
    }
    for (int c = 0; c < C; c++) {
        float value = first[from + c * p.width] - mean;
        squares += value * value;
    }
    float scale = 1.0 / sqrt(squares / float(C) + 1e-5);
    for (int c = 0; c < C; c++) {
        float value = (first[from + c * p.width] - mean) * scale * weights[c / 4][c % 4] + weights[quads + c / 4][c % 4];
        if ((p.flags & FLAG_ADD) != 0)
            value += second[base + c * p.width];
        put(to + c * p.width, value);
        if (p.rows[4] > 0)
            result_copy[copy_to + c * p.width] = value;
    }
}
