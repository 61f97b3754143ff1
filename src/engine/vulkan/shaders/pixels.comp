#version 450
/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/pixels.comp - values of the last stage as interleaved pixels, 8-bit or float.
 * An invocation stores four bytes: one float, or four 8-bit values, clipped and rounded. Rows are whole words. */
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 4) writeonly buffer Words { uint words[]; };

/* Value i of row y: pixel i / channels, channel i % channels. */
float value_at(int y, int i) {
    int C = p.channels[0], c = i % C, x = i / C;
    if (x >= p.width)
        return 0.0;
    return first_at(row_at(p.rows[0], C, p.out_width, y) + c * p.out_width + x) * p.factor + p.mean[c];
}

uint byte_of(float value) {
    return uint(clamp(value, 0.0, 1.0) * 255.0 + 0.5);
}

void main() {
    int word = int(gl_GlobalInvocationID.x), y = p.from + int(gl_WorkGroupID.y);
    bool is_float = (p.flags & FLAG_FLOAT) != 0;
    int row_words = is_float ? p.width * p.channels[0] : (p.width * p.channels[0] + 3) / 4;
    if (word >= row_words)
        return;
    int to = y % p.rows[3] * row_words + word;
    if (is_float) {
        words[to] = floatBitsToUint(value_at(y, word));
        return;
    }
    uint bytes = 0;
    for (int i = 0; i < 4; i++)
        bytes |= byte_of(value_at(y, 4 * word + i)) << (8 * i);
    words[to] = bytes;
}
