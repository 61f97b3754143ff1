#version 450
/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/attention.comp - q, k, v and cosine attention of one head of one window.
 * Invocation t computes the token at row t / WINDOW, column t % WINDOW. Tokens outside the plane, which the cyclic shift
 * would bring from the opposite edge, are absent: no token attends to them, and they are not stored.
 * Weights: of each head the logit scale [4], the bias of q [DP] and the position bias by rows and columns from key to query
 * [2 WINDOW - 1][2 WINDOW - 1]; then of each head q, k, v as [C][DP] each. DP is the head size as a multiple of 4. */
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const int HEAD = 12;
layout(constant_id = 1) const int WINDOW = 8;

const int QUADS = (HEAD + 3) / 4, SIDE = 2 * WINDOW - 1, TABLE = (SIDE * SIDE + 3) / 4;
shared vec4 keys[64 * QUADS];
shared vec4 values[64 * QUADS];

/* One of q, k and v of this invocation's token. */
void project(out vec4 sums[QUADS], int from, int base, int at) {
    for (int i = 0; i < QUADS; i++)
        sums[i] = vec4(0.0);
    for (int c = 0; c < p.channels[0]; c++) {
        float value = first_at(from + c * p.width);
        for (int i = 0; i < QUADS; i++)
            sums[i] += value * weight_at(base, at + c * QUADS + i);
    }
}

float length_of(vec4 vector[QUADS]) {
    float squares = 0.0;
    for (int i = 0; i < QUADS; i++)
        squares += dot(vector[i], vector[i]);
    return max(sqrt(squares), 1e-12);
}

void main() {
    int t = int(gl_LocalInvocationIndex), head = int(gl_WorkGroupID.z), C = p.channels[0];
    int y0 = (p.from + int(gl_WorkGroupID.y)) * WINDOW - p.before, x0 = int(gl_WorkGroupID.x) * WINDOW - p.before;
    int row = t / WINDOW, column = t % WINDOW;
    bool is_there = t < WINDOW * WINDOW && y0 + row >= 0 && y0 + row < p.height && x0 + column >= 0 &&
                    x0 + column < p.width;
    int y = clamp(y0 + row, 0, p.height - 1), x = clamp(x0 + column, 0, p.width - 1);
    int from = row_at(p.rows[0], C, p.width, y) + x;
    int at = head * (1 + QUADS + TABLE), table = at + 1 + QUADS;
    int base = int(gl_NumWorkGroups.z) * (1 + QUADS + TABLE), layer = head * 3 * C * QUADS;
    vec4 query[QUADS], other[QUADS], sums[QUADS];
    project(other, from, base, layer + C * QUADS);
    float factor = 1.0 / length_of(other);
    for (int i = 0; i < QUADS; i++)
        keys[t * QUADS + i] = other[i] * factor;
    project(other, from, base, layer + 2 * C * QUADS);
    for (int i = 0; i < QUADS; i++)
        values[t * QUADS + i] = other[i];
    project(query, from, base, layer);
    for (int i = 0; i < QUADS; i++)
        query[i] += weights[at + 1 + i];
    factor = weights[at][0] / length_of(query);
    for (int i = 0; i < QUADS; i++)
        query[i] *= factor;
    barrier();

    int first_row = max(-y0, 0), end_row = min(p.height - y0, WINDOW);
    int first_column = max(-x0, 0), end_column = min(p.width - x0, WINDOW);
    float most = -1e30, total = 0.0;
    for (int i = 0; i < QUADS; i++)
        sums[i] = vec4(0.0);
    for (int pass = 0; pass < 2; pass++) { /* the largest logit, then the sums; a logit costs less than 64 registers */
        for (int r = first_row; r < end_row; r++) {
            for (int c = first_column; c < end_column; c++) {
                int key = r * WINDOW + c, bias = (row - r + WINDOW - 1) * SIDE + column - c + WINDOW - 1;
                float logit = weights[table + clamp(bias, 0, SIDE * SIDE - 1) / 4][clamp(bias, 0, SIDE * SIDE - 1) % 4];
                for (int i = 0; i < QUADS; i++)
                    logit += dot(query[i], keys[key * QUADS + i]);
                if (pass == 0) {
                    most = max(most, logit);
                } else {
                    float weight = exp(logit - most);
                    total += weight;
                    for (int i = 0; i < QUADS; i++)
                        sums[i] += weight * values[key * QUADS + i];
                }
            }
        }
    }
    if (!is_there)
        return;
    int to = row_at(p.rows[3], C, p.width, y) + head * HEAD * p.width + x;
    for (int d = 0; d < HEAD; d++)
        put(to + d * p.width, sums[d / 4][d % 4] / total);
}
