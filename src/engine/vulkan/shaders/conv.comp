#version 450
/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/shaders/conv.comp - a 3x3 convolution of one or two planes, with activation, residual and pixel shuffle.
 * A workgroup computes 32 outputs of 16 columns of 8 rows; an invocation computes 8 outputs of 4 columns.
 * Weights: bias [N], then [N / 32][channels][9][32], with N a multiple of 32 and each plane's channels one of 4.
 * Every sum runs by plane, channel, row and column, wherever the tile lies. */
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 128) in;

const int COLUMNS = 16, ROWS = 8, CHANNELS = 4, QUADS = 8;
const int SIDE_X = COLUMNS + 2, SIDE_Y = ROWS + 2;
shared float patch_values[CHANNELS * SIDE_Y * SIDE_X];
shared vec4 tile[CHANNELS * 9 * QUADS];

float value_at(int plane, int c, int y, int x) {
    if (c >= p.channels[plane] || y < 0 || y >= p.height || x < 0 || x >= p.width)
        return 0.0;
    int at = row_at(p.rows[plane], p.channels[plane], p.width, y) + c * p.width + x;
    return plane == 0 ? first_at(at) : second_at(at);
}

void load_patch(int plane, int channel, int y0, int x0) {
    for (int i = int(gl_LocalInvocationIndex); i < CHANNELS * SIDE_Y * SIDE_X; i += 128)
        patch_values[i] = value_at(plane, channel + i / (SIDE_Y * SIDE_X), y0 - 1 + i / SIDE_X % SIDE_Y,
                                   x0 - 1 + i % SIDE_X);
}

void load_tile(int base, int at) {
    for (int i = int(gl_LocalInvocationIndex); i < CHANNELS * 9 * QUADS; i += 128)
        tile[i] = weight_at(base, at + i);
}

void multiply(inout vec4 sums[8], int row, int column, int quad) {
    for (int c = 0; c < CHANNELS; c++) {
        for (int ky = 0; ky < 3; ky++) {
            int from = (c * SIDE_Y + row + ky) * SIDE_X + column;
            float values[6];
            [[unroll]] for (int i = 0; i < 6; i++)
                values[i] = patch_values[from + i];
            [[unroll]] for (int kx = 0; kx < 3; kx++) {
                vec4 low = tile[(c * 9 + ky * 3 + kx) * QUADS + quad];
                vec4 high = tile[(c * 9 + ky * 3 + kx) * QUADS + quad + 1];
                [[unroll]] for (int i = 0; i < 4; i++) {
                    sums[2 * i] += values[i + kx] * low;
                    sums[2 * i + 1] += values[i + kx] * high;
                }
            }
        }
    }
}

void store(float value, int n, int y, int x) {
    int places = p.shuffle * p.shuffle;
    bool is_by_channel = (p.flags & FLAG_BY_CHANNEL) != 0;
    int c = is_by_channel ? n / places : n % p.out_channels, place = is_by_channel ? n % places : n / p.out_channels;
    int to_y = y * p.shuffle + place / p.shuffle, to_x = x * p.shuffle + place % p.shuffle;
    value = value > 0.0 ? value : p.slope * value;
    if (to_y >= p.out_height || to_x >= p.out_width)
        return;
    if (p.rows[2] > 0)
        value += added[row_at(p.rows[2], p.outputs, p.width, y) + n * p.width + x];
    put(row_at(p.rows[3], p.out_channels, p.out_width, to_y) + c * p.out_width + to_x, value);
    if (p.rows[4] > 0)
        result_copy[row_at(p.rows[4], p.out_channels, p.out_width, to_y) + c * p.out_width + to_x] = value;
}

void main() {
    int index = int(gl_LocalInvocationIndex), quad = index / 32 * 2;
    int row = index % 32 / 4, column = index % 4 * 4;
    int x0 = int(gl_WorkGroupID.x) * COLUMNS, y0 = p.from + int(gl_WorkGroupID.y) * ROWS, n0 = int(gl_WorkGroupID.z);
    int tiles = (p.outputs + 31) / 32, base = tiles * QUADS;
    int padded0 = (p.channels[0] + 3) / 4 * 4, padded1 = p.rows[1] > 0 ? (p.channels[1] + 3) / 4 * 4 : 0;
    vec4 sums[8];
    for (int i = 0; i < 8; i++)
        sums[i] = weights[n0 * QUADS + quad + i % 2];
    int at = n0 * (padded0 + padded1) * 9 * QUADS;
    for (int c = 0; c < padded0 + padded1; c += CHANNELS) {
        if (c < padded0)
            load_patch(0, c, y0, x0);
        else
            load_patch(1, c - padded0, y0, x0);
        load_tile(base, at + c * 9 * QUADS);
        barrier();
        multiply(sums, row, column, quad);
        barrier();
    }
    for (int i = 0; i < 32; i++) {
        int n = n0 * 32 + quad * 4 + i % 8, x = x0 + column + i / 8;
        if (n < p.outputs && x < p.width && y0 + row < p.to)
            store(sums[i / 4][i % 4], n, y0 + row, x);
    }
}
