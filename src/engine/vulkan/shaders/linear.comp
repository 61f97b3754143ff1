#version 450
/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/linear.comp - a linear layer of every pixel, with GELU or another activation.
 * A workgroup computes 64 outputs of 64 columns of one row; an invocation computes 8 outputs of 4 columns.
 * Weights: bias [N], then [N / 64][K][64], with N a multiple of 64 and K one of 12. */
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 128) in;

const int COLUMNS = 64, INPUTS = 12, QUADS = 16;
shared float panel[INPUTS * COLUMNS];
shared vec4 tile[INPUTS * QUADS];

/* The error function, to 1.5e-7 (Abramowitz and Stegun, 7.1.26). */
float error_function(float x) {
    float t = 1.0 / (1.0 + 0.3275911 * abs(x));
    float y = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    return sign(x) * (1.0 - y * exp(-x * x));
}

float activated(float value) {
    if ((p.flags & FLAG_GELU) != 0)
        return 0.5 * value * (1.0 + error_function(value * 0.70710678));
    return value > 0.0 ? value : p.slope * value;
}

void load(int k, int row, int x0, int base, int at) {
    for (int i = int(gl_LocalInvocationIndex); i < INPUTS * COLUMNS; i += 128) {
        int c = k + i / COLUMNS, x = x0 + i % COLUMNS;
        panel[i] = c < p.channels[0] && x < p.width ? first_at(row + c * p.width + x) : 0.0;
    }
    for (int i = int(gl_LocalInvocationIndex); i < INPUTS * QUADS; i += 128)
        tile[i] = weight_at(base, at + k * QUADS + i);
}

void multiply(inout vec4 sums[8], int column, int quad) {
    for (int k = 0; k < INPUTS; k++) {
        vec4 low = tile[k * QUADS + quad], high = tile[k * QUADS + quad + 1];
        [[unroll]] for (int i = 0; i < 4; i++) {
            float value = panel[k * COLUMNS + column + i];
            sums[2 * i] += value * low;
            sums[2 * i + 1] += value * high;
        }
    }
}

void main() {
    int index = int(gl_LocalInvocationIndex), quad = index / 16 * 2, column = index % 16 * 4;
    int x0 = int(gl_WorkGroupID.x) * COLUMNS, y = p.from + int(gl_WorkGroupID.y), n0 = int(gl_WorkGroupID.z);
    int tiles = (p.outputs + 63) / 64, padded = (p.channels[0] + INPUTS - 1) / INPUTS * INPUTS;
    int from = row_at(p.rows[0], p.channels[0], p.width, y), to = row_at(p.rows[3], p.outputs, p.width, y);
    int base = tiles * QUADS, at = n0 * padded * QUADS;
    vec4 sums[8];
    for (int i = 0; i < 8; i++)
        sums[i] = weights[n0 * QUADS + quad + i % 2];
    for (int k = 0; k < padded; k += INPUTS) {
        load(k, from, x0, base, at);
        barrier();
        multiply(sums, column, quad);
        barrier();
    }
    for (int i = 0; i < 32; i++) {
        int n = n0 * 64 + quad * 4 + i % 8, x = x0 + column + i / 8;
        if (n < p.outputs && x < p.width)
            put(to + n * p.width + x, activated(sums[i / 4][i % 4]));
    }
}
