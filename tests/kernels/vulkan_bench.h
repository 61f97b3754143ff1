/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/vulkan_bench.h - run one kernel of the Vulkan device alone, and judge what it wrote.
 * There are six regions of memory, one for each binding. A kernel must not let anything depend on memory that a network
 * does not own there, so what a test does not fill is NaN; and it must not write outside its rows, so outputs lie
 * between guards. Kernels that read or write halves get inputs that are halves, and their results may be off by the
 * rounding of the result in addition. */
#pragma once

#include "engine/vulkan/program.h"

#define REGION_FLOATS (1 << 16)
#define EPS 5.97e-8 /* half an ulp of a float near 1, and a little */

typedef enum region {
    WEIGHTS,
    FIRST,
    SECOND,
    ADDED,
    RESULT,
    COPY,
} region;

/* What pipelines are made for. */
typedef struct bench_shape {
    int32_t head, heads, window;
} bench_shape;

typedef struct bench {
    swin2sr__vk_network network;
    swin2sr__vk_buffer buffer;
    swin2sr__vk_commands commands;
    VkDescriptorPool pool;
    VkDescriptorSet set;
    float *regions[SWIN2SR__VK_BINDINGS];
    swin2sr__vk_kernel kernel; /* that is tested */
    int variant;               /* of its pipelines */
    bool is_overrun;           /* halves were written where none may be */
    bool is_good;              /* in this case, so far */
    int failures, cases;
    double worst[SWIN2SR__VK_KERNELS]; /* the largest error of a float, as a share of its bound */
} bench;

/* errors: there is no such device, or it cannot make the pipelines. The bench is closed in any case. */
bool bench_open(bench *self, int32_t index, const bench_shape *shape, bool is_half, swin2sr_error *error);
void bench_close(bench *self);

/* Begin a case. weights: so many of them are zeros, to be filled; all else is NaN in inputs, guards in outputs. */
void bench_prepare(bench *self, swin2sr__vk_kernel kernel, int32_t weights);

/* Noise in rows [from, to) of an input's ring. */
void bench_fill(bench *self, region input, int32_t rows, int32_t channels, int32_t width, int32_t from, int32_t to);

/* Run the kernel in x, y, z workgroups. plain: weights before those of products, which a half network has as halves. */
void bench_run(bench *self, int32_t plain, const swin2sr__vk_push *push, int32_t x, int32_t y, int32_t z);

/* Compare a value of an output, and turn it into a guard, so that all are guards at the end. */
void bench_take(bench *self, region output, int32_t at, double expected, double bound);

/* End a case: what is not a guard was written without right. The text says which case it was. */
void bench_finish(bench *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Uniform in [-1, 1). */
float noise(void);
int32_t rounded(int32_t n, int32_t unit);
/* The index of channel c of pixel x of row y in a ring. */
int32_t index_of(int32_t rows, int32_t channels, int32_t width, int32_t y, int32_t c, int32_t x);

/* check_vulkan_attention.c: all cases of the shape that the bench was opened for. */
void check_attention(bench *self, const bench_shape *shape);
