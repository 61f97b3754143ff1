/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_vulkan.c - each kernel of the Vulkan device, alone, against sums in double, at odd sizes.
 * usage: check_vulkan [N]   device N of `swin2sr device list`; 0
 * Rings wrap around, outputs lie between guard zones, and what a dispatch does not own must keep its bytes. The bound of
 * a sum is k * eps * sum |x| |w|. Kernels that read or write halves get inputs that are halves, and their results may be
 * off by the rounding of the result in addition. Exits with 77 where there is no device. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "engine/vulkan/program.h"

#define REGION_FLOATS (1 << 16)
#define GUARD -12344.0f    /* a half too */
#define HALF_EPS 4.8829e-4 /* 2^-11 and a little */
#define EPS 5.97e-8

typedef struct bench {
    swin2sr__vk_network network;
    swin2sr__vk_buffer buffer;
    swin2sr__vk_commands commands;
    VkDescriptorPool pool;
    VkDescriptorSet set;
    float *regions[SWIN2SR__VK_BINDINGS]; /* weights, first, second, added, result, copy, as floats */
    int variant;                          /* of the kernel that is tested */
    bool is_overrun;                      /* halves were written where none may be */
    int failures, cases;
} bench;

static uint32_t state = 1;

static float noise(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (float)(1 << 23) - 1.0f;
}

static int32_t rounded(int32_t n, int32_t unit) {
    return (n + unit - 1) / unit * unit;
}

static bool open_bench(bench *self, int32_t index, int32_t head, int32_t window, bool is_half, swin2sr_error *error) {
    swin2sr__vk_network *network = &self->network;
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, SWIN2SR__VK_BINDINGS};
    VkDescriptorPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1, .poolSizeCount = 1, .pPoolSizes = &size};
    if (swin2sr__vk_gpu_open(&network->gpu, index, head, error) != SWIN2SR_OK)
        return false;
    const swin2sr__vk_gpu *gpu = &network->gpu;
    network->is_half = is_half && gpu->info.has_fp16;
    network->packed.network.config.dim = head;
    network->packed.network.config.heads = 1;
    network->packed.network.config.window_px = window;
    if (swin2sr__vk_pipelines_new(network) != VK_SUCCESS ||
        swin2sr__vk_buffer_new(gpu, SWIN2SR__VK_BINDINGS * REGION_FLOATS * sizeof(float), true, &self->buffer) !=
            VK_SUCCESS ||
        swin2sr__vk_commands_new(gpu, &self->commands) != VK_SUCCESS ||
        gpu->api.CreateDescriptorPool(gpu->device, &pool, NULL, &self->pool) != VK_SUCCESS)
        return false;
    VkDescriptorSetAllocateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                       .descriptorPool = self->pool,
                                       .descriptorSetCount = 1,
                                       .pSetLayouts = &network->set_layout};
    if (gpu->api.AllocateDescriptorSets(gpu->device, &set, &self->set) != VK_SUCCESS)
        return false;
    for (uint32_t i = 0; i < SWIN2SR__VK_BINDINGS; i++) {
        VkDescriptorBufferInfo part = {self->buffer.buffer, i * REGION_FLOATS * sizeof(float),
                                       REGION_FLOATS * sizeof(float)};
        VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = self->set,
                                      .dstBinding = i,
                                      .descriptorCount = 1,
                                      .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                      .pBufferInfo = &part};
        gpu->api.UpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
        self->regions[i] = malloc(REGION_FLOATS * sizeof(float));
    }
    return true;
}

static void close_bench(bench *self) {
    const swin2sr__vk_gpu *gpu = &self->network.gpu;
    if (self->pool)
        gpu->api.DestroyDescriptorPool(gpu->device, self->pool, NULL);
    if (gpu->device) {
        swin2sr__vk_commands_free(gpu, &self->commands);
        swin2sr__vk_buffer_free(gpu, &self->buffer);
        swin2sr__vk_pipelines_free(&self->network);
    }
    swin2sr__vk_gpu_close(&self->network.gpu);
    for (int i = 0; i < SWIN2SR__VK_BINDINGS; i++)
        free(self->regions[i]);
}

static bool has_halves(const bench *self, int binding) {
    static const int bits[SWIN2SR__VK_BINDINGS] = {0, 1, 2, 0, 4, 0};
    return (self->variant & bits[binding]) != 0;
}

static float of_half(uint16_t half) {
    uint32_t bits = swin2sr__half_to_float(half);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Floats from index `from` on become halves, on the device and, rounded, here. */
static void store_halves(float *values, int32_t from, unsigned char *to) {
    memcpy(to, values, (size_t)from * sizeof(float));
    uint16_t *halves = (uint16_t *)(void *)(to + (size_t)from * sizeof(float));
    for (int32_t i = 0; i < REGION_FLOATS - from; i++) {
        halves[i] = swin2sr__half_of_float(values[from + i]);
        values[from + i] = of_half(halves[i]);
    }
}

/* plain: weights before those of products, which a half network has as halves. */
static void upload(bench *self, int32_t plain) {
    for (int i = 0; i < SWIN2SR__VK_BINDINGS; i++) {
        unsigned char *to = self->buffer.mapped + (size_t)i * REGION_FLOATS * sizeof(float);
        uint16_t guard = swin2sr__half_of_float(GUARD);
        if (i == 4 && has_halves(self, i)) {
            for (int32_t j = 0; j < 2 * REGION_FLOATS; j++)
                memcpy(to + 2 * j, &guard, sizeof guard);
        } else if (i == 0 ? self->network.is_half && plain < REGION_FLOATS : has_halves(self, i)) {
            store_halves(self->regions[i], i ? 0 : plain, to);
        } else {
            memcpy(to, self->regions[i], REGION_FLOATS * sizeof(float));
        }
    }
}

static void download(bench *self) {
    for (int i = 4; i < SWIN2SR__VK_BINDINGS; i++) {
        const unsigned char *from = self->buffer.mapped + (size_t)i * REGION_FLOATS * sizeof(float);
        const uint16_t *halves = (const uint16_t *)(const void *)from;
        if (!has_halves(self, i)) {
            memcpy(self->regions[i], from, REGION_FLOATS * sizeof(float));
            continue;
        }
        for (int32_t j = 0; j < REGION_FLOATS; j++) {
            self->regions[i][j] = of_half(halves[j]);
            self->is_overrun |= of_half(halves[REGION_FLOATS + j]) != GUARD;
        }
    }
}

/* Noise in the inputs, guards in the outputs, zeros in the weights. */
static void prepare(bench *self) {
    for (int i = 0; i < SWIN2SR__VK_BINDINGS; i++)
        for (int32_t j = 0; j < REGION_FLOATS; j++)
            self->regions[i][j] = i == 0 ? 0.0f : i < 4 ? noise() : GUARD;
}

static void run(bench *self, swin2sr__vk_kernel kernel, int32_t plain, const swin2sr__vk_push *push, int32_t x,
                int32_t y, int32_t z) {
    const swin2sr__vk_network *network = &self->network;
    const swin2sr__vk_api *api = &network->gpu.api;
    VkCommandBuffer to = self->commands.buffer;
    VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                               .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                               .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    upload(self, plain);
    if (swin2sr__vk_commands_begin(&network->gpu, &self->commands) != VK_SUCCESS)
        abort();
    api->CmdBindPipeline(to, VK_PIPELINE_BIND_POINT_COMPUTE, network->pipelines[kernel][self->variant]);
    api->CmdBindDescriptorSets(to, VK_PIPELINE_BIND_POINT_COMPUTE, network->layout, 0, 1, &self->set, 0, NULL);
    api->CmdPushConstants(to, network->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof *push, push);
    api->CmdDispatch(to, (uint32_t)x, (uint32_t)y, (uint32_t)z);
    api->CmdPipelineBarrier(to, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0,
                            NULL, 0, NULL);
    if (swin2sr__vk_commands_run(&self->network.gpu, &self->commands) != VK_SUCCESS)
        abort();
    download(self);
}

/* Compare a result that is expected at index `at`, and turn it into a guard, so that all is guards at the end. */
static bool take(bench *self, int region, int32_t at, double expected, double bound) {
    double error = fabs((double)self->regions[region][at] - expected);
    self->regions[region][at] = GUARD;
    if (has_halves(self, region))
        bound += HALF_EPS * fabs(expected) + 3e-8; /* half of the smallest half */
    return error <= bound;
}

static void finish(bench *self, bool is_good, const char *what) {
    for (int i = 4; i < SWIN2SR__VK_BINDINGS; i++)
        for (int32_t j = 0; j < REGION_FLOATS; j++)
            is_good = is_good && self->regions[i][j] == GUARD;
    is_good = is_good && !self->is_overrun;
    self->is_overrun = false;
    self->cases++;
    self->failures += !is_good;
    if (!is_good)
        printf("FAIL %s, %s, variant %d\n", what, self->network.is_half ? "halves" : "floats", self->variant);
}

static int32_t index_of(int32_t rows, int32_t channels, int32_t width, int32_t y, int32_t c, int32_t x) {
    return (y % rows * channels + c) * width + x;
}

/* ---- linear ---- */

static void check_linear(bench *self, int32_t K, int32_t N, int32_t W, int32_t flags, float slope) {
    int32_t all = rounded(N, 64), k_all = rounded(K, 12), from = 4, to = 7, in_rows = 5, out_rows = 3;
    float *w = self->regions[0], *x = self->regions[1];
    bool is_good = true;
    prepare(self);
    for (int32_t n = 0; n < N; n++) {
        w[n] = noise();
        for (int32_t k = 0; k < K; k++)
            w[all + (n / 64 * k_all + k) * 64 + n % 64] = noise();
    }
    swin2sr__vk_push push = {from, to,    W,    9,  {in_rows, 0, 0, out_rows, 0}, {K, 0}, N, W, 9, N, 1, flags,
                             0,    slope, 1.0f, {0}};
    run(self, SWIN2SR__VK_LINEAR, all, &push, (W + 63) / 64, to - from, all / 64);
    for (int32_t y = from; y < to; y++)
        for (int32_t n = 0; n < N; n++)
            for (int32_t i = 0; i < W; i++) {
                double sum = w[n], size = fabs(sum);
                for (int32_t k = 0; k < K; k++) {
                    double product =
                        (double)w[all + (n / 64 * k_all + k) * 64 + n % 64] * x[index_of(in_rows, K, W, y, k, i)];
                    sum += product, size += fabs(product);
                }
                double value = flags ? 0.5 * sum * (1.0 + erf(sum * 0.7071067811865476)) : sum > 0 ? sum : slope * sum;
                is_good &= take(self, 4, index_of(out_rows, N, W, y, n, i), value,
                                1.2 * (K + 4) * EPS * size + (flags ? 5e-7 * (1.0 + fabs(sum)) : 0.0));
            }
    char what[80];
    snprintf(what, sizeof what, "linear K %d, N %d, W %d, flags %d", K, N, W, flags);
    finish(self, is_good, what);
}

/* ---- conv ---- */

typedef struct conv_case {
    int32_t first, second, outputs, width, height, shuffle, flags, cut; /* cut: of the output's last column and row */
    bool has_added, has_copy;
} conv_case;

static float *conv_weight(float *w, const conv_case *t, int32_t n, int32_t plane, int32_t c, int32_t tap) {
    int32_t all = rounded(t->outputs, 32), before = rounded(t->first, 4),
            channels = before + (t->second ? rounded(t->second, 4) : 0);
    return &w[all + ((n / 32 * channels + plane * before + c) * 9 + tap) * 32 + n % 32];
}

static double convolve(bench *self, const conv_case *t, int32_t rows, int32_t n, int32_t y, int32_t x,
                       double *ret_size) {
    double sum = self->regions[0][n], size = fabs(sum);
    for (int32_t plane = 0; plane < 2; plane++) {
        int32_t channels = plane ? t->second : t->first;
        for (int32_t c = 0; c < channels; c++)
            for (int32_t tap = 0; tap < 9; tap++) {
                int32_t sy = y + tap / 3 - 1, sx = x + tap % 3 - 1;
                if (sy < 0 || sy >= t->height || sx < 0 || sx >= t->width)
                    continue;
                double product = (double)*conv_weight(self->regions[0], t, n, plane, c, tap) *
                                 self->regions[1 + plane][index_of(rows, channels, t->width, sy, c, sx)];
                sum += product, size += fabs(product);
            }
    }
    *ret_size = size;
    return sum;
}

static void check_conv(bench *self, conv_case t) {
    int32_t from = t.height > 4 ? 4 : 0, to = t.height, rows = to - from + 2, places = t.shuffle * t.shuffle;
    int32_t channels = t.outputs / places, out_w = t.width * t.shuffle - t.cut, out_h = t.height * t.shuffle - t.cut;
    int32_t out_rows = (to - from) * t.shuffle;
    bool is_good = true;
    prepare(self);
    for (int32_t n = 0; n < t.outputs; n++) {
        self->regions[0][n] = noise();
        for (int32_t plane = 0; plane < 2; plane++)
            for (int32_t c = 0; c < (plane ? t.second : t.first); c++)
                for (int32_t tap = 0; tap < 9; tap++)
                    *conv_weight(self->regions[0], &t, n, plane, c, tap) = noise();
    }
    float slope = t.has_added ? 1.0f : 0.2f;
    swin2sr__vk_push push = {from,
                             to,
                             t.width,
                             t.height,
                             {rows, t.second ? rows : 0, t.has_added ? rows : 0, out_rows, t.has_copy ? out_rows : 0},
                             {t.first, t.second},
                             t.outputs,
                             out_w,
                             out_h,
                             channels,
                             t.shuffle,
                             t.flags,
                             0,
                             slope,
                             1.0f,
                             {0}};
    run(self, SWIN2SR__VK_CONV, rounded(t.outputs, 32), &push, (t.width + 15) / 16, (to - from + 7) / 8,
        (t.outputs + 31) / 32);
    for (int32_t y = from; y < to; y++)
        for (int32_t x = 0; x < t.width; x++)
            for (int32_t n = 0; n < t.outputs; n++) {
                double size, sum = convolve(self, &t, rows, n, y, x, &size);
                int32_t c = t.flags ? n / places : n % channels, place = t.flags ? n % places : n / channels;
                int32_t oy = y * t.shuffle + place / t.shuffle, ox = x * t.shuffle + place % t.shuffle;
                sum = sum > 0 ? sum : slope * sum;
                if (oy >= out_h || ox >= out_w)
                    continue;
                if (t.has_added)
                    sum += self->regions[3][index_of(rows, t.outputs, t.width, y, n, x)];
                for (int i = 4; i < 4 + (t.has_copy ? 2 : 1); i++)
                    is_good &= take(self, i, index_of(out_rows, channels, out_w, oy, c, ox), sum,
                                    (9 * (t.first + t.second) + 4) * EPS * (size + 1.0));
            }
    char what[120];
    snprintf(what, sizeof what, "conv %d + %d to %d, %dx%d, shuffle %d, flags %d", t.first, t.second, t.outputs,
             t.width, t.height, t.shuffle, t.flags);
    finish(self, is_good, what);
}

/* ---- norm ---- */

static void check_norm(bench *self, int32_t C, int32_t W, int32_t flags, bool has_copy) {
    int32_t from = 3, to = 6, rows = 5, quads = (C + 3) / 4;
    float *w = self->regions[0];
    bool is_good = true;
    prepare(self);
    for (int32_t c = 0; c < C; c++)
        w[c] = noise(), w[4 * quads + c] = noise();
    swin2sr__vk_push push = {from,   to,    W, 9,    {rows, flags & SWIN2SR__VK_ADD ? 4 : 0, 0, 3, has_copy ? 6 : 0},
                             {C, C}, C,     W, 9,    C,
                             1,      flags, 0, 1.0f, 1.0f,
                             {0}};
    run(self, SWIN2SR__VK_NORM, REGION_FLOATS, &push, (W + 63) / 64, to - from, 1);
    for (int32_t y = from; y < to; y++)
        for (int32_t x = 0; x < W; x++) {
            double mean = 0.0, squares = 0.0;
            for (int32_t c = 0; c < C && flags & SWIN2SR__VK_CENTRE; c++)
                mean += self->regions[1][index_of(rows, C, W, y, c, x)] / (double)C;
            for (int32_t c = 0; c < C; c++)
                squares += pow(self->regions[1][index_of(rows, C, W, y, c, x)] - mean, 2) / C;
            for (int32_t c = 0; c < C; c++) {
                double value = (self->regions[1][index_of(rows, C, W, y, c, x)] - mean) / sqrt(squares + 1e-5) * w[c] +
                               w[4 * quads + c];
                if (flags & SWIN2SR__VK_ADD)
                    value += self->regions[2][index_of(4, C, W, y, c, x)];
                /* relative error of the deviation, which small deviations enlarge */
                double bound = (2.0 * C + 16.0) * EPS * (2.0 + 2.0 / sqrt(squares + 1e-5));
                is_good &= take(self, 4, index_of(3, C, W, y, c, x), value, bound);
                if (has_copy)
                    is_good &= take(self, 5, index_of(6, C, W, y, c, x), value, bound);
            }
        }
    char what[80];
    snprintf(what, sizeof what, "norm C %d, W %d, flags %d", C, W, flags);
    finish(self, is_good, what);
}

/* ---- attention ---- */

typedef struct window {
    int32_t size, D, side, H, W, y0, x0, rows;
    const float *weights;
    double q[64][64], k[64][64], v[64][64];
    bool is_there[64];
} window;

/* q, k and v of the tokens that lie in the plane. */
static void project(window *t, const float *x) {
    int32_t DP = rounded(t->D, 4), plain = 4 + DP + rounded(t->side * t->side, 4);
    for (int32_t i = 0; i < t->size * t->size; i++) {
        int32_t y = t->y0 + i / t->size, at = t->x0 + i % t->size;
        double qq = 0.0, kk = 0.0;
        t->is_there[i] = y >= 0 && y < t->H && at >= 0 && at < t->W;
        for (int32_t d = 0; t->is_there[i] && d < t->D; d++) {
            double sums[3] = {t->weights[4 + d], 0.0, 0.0};
            for (int part = 0; part < 3; part++)
                for (int32_t c = 0; c < t->D; c++)
                    sums[part] += (double)t->weights[plain + (part * t->D + c) * DP + d] *
                                  x[index_of(t->rows, t->D, t->W, y, c, at)];
            t->q[i][d] = sums[0], t->k[i][d] = sums[1], t->v[i][d] = sums[2];
            qq += sums[0] * sums[0], kk += sums[1] * sums[1];
        }
        for (int32_t d = 0; t->is_there[i] && d < t->D; d++)
            t->q[i][d] *= t->weights[0] / sqrt(qq), t->k[i][d] /= sqrt(kk);
    }
}

static bool compare_window(bench *self, const window *t) {
    const float *table = t->weights + 4 + rounded(t->D, 4);
    bool is_good = true;
    for (int32_t i = 0; i < t->size * t->size; i++) {
        double total = 0.0, sums[64] = {0};
        for (int32_t j = 0; t->is_there[i] && j < t->size * t->size; j++) {
            if (!t->is_there[j])
                continue;
            double logit =
                table[(i / t->size - j / t->size + t->size - 1) * t->side + i % t->size - j % t->size + t->size - 1];
            for (int32_t d = 0; d < t->D; d++)
                logit += t->q[i][d] * t->k[j][d];
            total += exp(logit);
            for (int32_t d = 0; d < t->D; d++)
                sums[d] += exp(logit) * t->v[j][d];
        }
        for (int32_t d = 0; t->is_there[i] && d < t->D; d++)
            is_good &= take(self, 4, index_of(t->rows, t->D, t->W, t->y0 + i / t->size, d, t->x0 + i % t->size),
                            sums[d] / total, 2e-5 * (1.0 + fabs(sums[d] / total)));
    }
    return is_good;
}

static void check_attention(bench *self, int32_t D, int32_t size, int32_t before) {
    window *t = calloc(1, sizeof *t);
    int32_t H = 2 * size, W = 3 * size, DP = rounded(D, 4), side = 2 * size - 1, extra = before ? 1 : 0;
    int32_t plain = 4 + DP + rounded(side * side, 4);
    bool is_good = true;
    prepare(self);
    float *w = self->regions[0];
    *t = (window){.size = size, .D = D, .side = side, .H = H, .W = W, .rows = H, .weights = w};
    w[0] = 12.5f;
    for (int32_t d = 0; d < D; d++) {
        w[4 + d] = noise();
        for (int32_t c = 0; c < 3 * D; c++)
            w[plain + c * DP + d] = noise();
    }
    for (int32_t i = 0; i < side * side; i++)
        w[4 + DP + i] = 8.0f + 8.0f * noise();
    swin2sr__vk_push push = {0, 0, W, H, {H, 0, 0, H, 0}, {D, 0}, D, W, H, D, 1, 0, before, 1.0f, 1.0f, {0}};
    run(self, SWIN2SR__VK_ATTENTION, plain, &push, 3 + extra, 2 + extra, 1);
    for (int32_t i = 0; i < (3 + extra) * (2 + extra); i++) {
        t->y0 = i / (3 + extra) * size - before;
        t->x0 = i % (3 + extra) * size - before;
        project(t, self->regions[1]);
        is_good &= compare_window(self, t);
    }
    char what[80];
    snprintf(what, sizeof what, "attention D %d, window %d, before %d", D, size, before);
    finish(self, is_good, what);
    free(t);
}

/* ---- pixels ---- */

static void check_pixels(bench *self, int32_t C, int32_t W, int32_t pitch, bool is_float) {
    int32_t rows = 3, words = is_float ? W * C : (W * C + 3) / 4, from = 2, to = 5;
    float factor = 1.0f / 255.0f;
    bool is_good = true;
    prepare(self);
    for (int32_t i = 0; i < 4096; i++)
        self->regions[1][i] = 200.0f * noise();
    swin2sr__vk_push push = {from,
                             to,
                             W,
                             9,
                             {rows, 0, 0, rows, 0},
                             {C, 0},
                             C,
                             pitch,
                             9,
                             1,
                             1,
                             is_float ? SWIN2SR__VK_FLOAT : 0,
                             0,
                             1.0f,
                             factor,
                             {0.4f, 0.5f, 0.6f}};
    run(self, SWIN2SR__VK_PIXELS, REGION_FLOATS, &push, (words + 63) / 64, to - from, 1);
    for (int32_t y = from; y < to; y++)
        for (int32_t i = 0; i < (is_float ? words : 4 * words); i++) {
            float *word = &self->regions[4][y % rows * words + (is_float ? i : i / 4)];
            double value = i < W * C ? (double)self->regions[1][index_of(rows, C, pitch, y, i % C, i / C)] * factor +
                                           (double)push.mean[i % C]
                                     : 0.0;
            double level = fmin(fmax(value, 0.0), 1.0) * 255.0;
            is_good &= is_float ? fabs(*word - value) <= 1e-6 : fabs(((uint8_t *)word)[i % 4] - level) <= 0.5001;
        }
    for (int32_t i = 0; i < rows * words; i++)
        self->regions[4][i] = GUARD;
    char what[80];
    snprintf(what, sizeof what, "pixels C %d, W %d of %d, float %d", C, W, pitch, is_float);
    finish(self, is_good, what);
}

/* ---- bicubic ---- */

/* The four pixels and weights of each column, then of each row. */
static void fill_table(float *table, int32_t count, int32_t limit) {
    for (int32_t i = 0; i < count * 8; i++) {
        int32_t place = (i / 8 + i % 8) % limit;
        if (i % 8 < 4)
            memcpy(&table[i], &place, sizeof place);
        else
            table[i] = noise();
    }
}

static int32_t place_of(const float *table, int32_t i, int32_t j) {
    int32_t place;
    memcpy(&place, &table[8 * i + j], sizeof place);
    return place;
}

static void check_bicubic(bench *self, int32_t C, int32_t W, int32_t out_W) {
    int32_t H = 6, out_H = 11, from = 3, to = 8;
    float *columns = self->regions[2], *rows = columns + 8 * out_W;
    bool is_good = true;
    prepare(self);
    fill_table(columns, out_W, W);
    fill_table(rows, out_H, H);
    swin2sr__vk_push push = {from, to, W, H, {H, 1, 0, 7, 0}, {C, 1}, C, out_W, out_H, C, 1, 0, 0, 1.0f, 1.0f, {0}};
    run(self, SWIN2SR__VK_BICUBIC, REGION_FLOATS, &push, (out_W + 63) / 64, to - from, C);
    for (int32_t y = from; y < to; y++)
        for (int32_t x = 0; x < out_W; x++)
            for (int32_t c = 0; c < C; c++) {
                double sum = 0.0, size = 0.0;
                for (int32_t i = 0; i < 16; i++) {
                    double product =
                        (double)rows[8 * y + 4 + i / 4] * columns[8 * x + 4 + i % 4] *
                        self->regions[1][index_of(H, C, W, place_of(rows, y, i / 4), c, place_of(columns, x, i % 4))];
                    sum += product, size += fabs(product);
                }
                is_good &= take(self, 4, index_of(7, C, out_W, y, c, x), sum, 20 * EPS * size);
            }
    char what[80];
    snprintf(what, sizeof what, "bicubic C %d, W %d to %d", C, W, out_W);
    finish(self, is_good, what);
}

/* ---- all ---- */

static bool has_variant(const bench *self, swin2sr__vk_kernel kernel) {
    return self->network.pipelines[kernel][self->variant] != VK_NULL_HANDLE;
}

static void check_products(bench *self) {
    static const int32_t inputs[] = {5, 12, 13, 60, 61}, outputs[] = {3, 64, 65, 130}, widths[] = {1, 63, 65};
    static const conv_case convs[] = {
        {3, 0, 5, 1, 1, 1, 0, 0, false, false},    {4, 0, 32, 17, 9, 1, 0, 0, false, true},
        {5, 3, 33, 15, 13, 1, 0, 0, false, false}, {6, 0, 3, 33, 21, 1, 1, 0, true, false},
        {7, 0, 48, 18, 12, 4, 1, 3, false, false}, {4, 4, 36, 16, 8, 3, 0, 0, false, false},
        {9, 0, 64, 31, 7, 2, 0, 1, false, true},   {1, 0, 4, 5, 5, 2, 1, 0, false, false}};
    for (size_t i = 0; i < 5 * 4 * 3 && has_variant(self, SWIN2SR__VK_LINEAR); i++)
        check_linear(self, inputs[i / 12], outputs[i / 3 % 4], widths[i % 3],
                     (i / 12 + i / 3) % 2 ? SWIN2SR__VK_GELU : 0, i % 3 ? 1.0f : 0.2f);
    for (size_t i = 0; i < sizeof convs / sizeof convs[0] && has_variant(self, SWIN2SR__VK_CONV); i++)
        check_conv(self, convs[i]);
}

static void check_others(bench *self) {
    if (has_variant(self, SWIN2SR__VK_NORM)) {
        check_norm(self, 60, 65, SWIN2SR__VK_CENTRE, true);
        check_norm(self, 6, 1, SWIN2SR__VK_ADD, false);
        check_norm(self, 33, 63, SWIN2SR__VK_ADD, false);
    }
    for (int i = 0; i < 8 && has_variant(self, SWIN2SR__VK_PIXELS); i++)
        check_pixels(self, i % 2 ? 3 : 1, i / 4 ? 68 : 1, i / 4 ? 71 : 4, i / 2 % 2);
    if (has_variant(self, SWIN2SR__VK_BICUBIC)) {
        check_bicubic(self, 3, 5, 65);
        check_bicubic(self, 1, 9, 30);
    }
}

/* A device for each shape of attention; the first one checks the other kernels too. */
static bool check_shape(int32_t index, int32_t head, int32_t side, bool is_half, bool is_first, bench *ret_bench,
                        swin2sr_error *error) {
    bench self = {0};
    if (!open_bench(&self, index, head, side, is_half, error)) {
        close_bench(&self);
        return false;
    }
    bool is_done = is_half && !self.network.is_half; /* the driver has no halves */
    for (self.variant = 0; self.variant < SWIN2SR__VK_VARIANTS && !is_done; self.variant++) {
        if (is_first) {
            check_products(&self);
            check_others(&self);
        }
        for (int32_t shifted = 0; shifted < 2 && has_variant(&self, SWIN2SR__VK_ATTENTION); shifted++)
            check_attention(&self, head, side, shifted * (side - side / 2));
    }
    ret_bench->cases += self.cases;
    ret_bench->failures += self.failures;
    close_bench(&self);
    return true;
}

int main(int argc, char **argv) {
    static const int32_t shapes[][2] = {{10, 8}, {30, 8}, {6, 7}, {60, 5}};
    bench all = {0};
    for (int i = 0; i < 8; i++) {
        swin2sr_error error = {""};
        if (!check_shape(argc > 1 ? atoi(argv[1]) : 0, shapes[i % 4][0], shapes[i % 4][1], i >= 4, i % 4 == 0, &all,
                         &error)) {
            printf("skip: %s\n", error.text);
            return getenv("SWIN2SR_NEEDS_VULKAN") ? 1 : 77;
        }
    }
    printf("kernels of Vulkan: %d cases, %d failed\n", all.cases, all.failures);
    return all.failures > 0;
}
