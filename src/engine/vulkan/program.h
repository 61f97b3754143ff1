/* SPDX-License-Identifier: Apache-2.0
 * engine/vulkan/program.h - the dispatches of an image: one for each kernel of each layer, in order.
 * In: rings and layers.  Out: a list, built when an image begins, which each step runs over the rows of the schedule.
 * Letters: H W padded rows and columns, C channels. */
#pragma once

#include "base/span.h"
#include "engine/schedule.h"
#include "engine/vulkan/network.h"

/* The numbers of one dispatch: Push in shaders/common.glsl. */
typedef struct swin2sr__vk_push {
    int32_t from, to, width, height;
    int32_t rows[SWIN2SR__VK_BINDINGS - 1];
    int32_t channels[2];
    int32_t outputs, out_width, out_height, out_channels, shuffle, flags, before;
    float slope, factor, mean[3];
} swin2sr__vk_push;

#define SWIN2SR__VK_BY_CHANNEL 1
#define SWIN2SR__VK_GELU 2
#define SWIN2SR__VK_ADD 4
#define SWIN2SR__VK_CENTRE 8
#define SWIN2SR__VK_FLOAT 16

/* Rows [rows][channels][width] of floats, of halves, or of packed pixels. Row y is at y % rows. */
typedef struct swin2sr__vk_ring {
    size_t offset, bytes;
    bool is_host; /* in the buffer that the host reads and writes */
    bool is_half;
    int32_t rows, channels, width, height;
} swin2sr__vk_ring;

/* One kernel over rows of one layer. */
typedef struct swin2sr__vk_op {
    swin2sr__vk_kernel kernel;
    int variant; /* of its pipelines */
    VkDescriptorSet set;
    swin2sr__vk_push push;
    const swin2sr__span *span; /* of the schedule */
    int32_t scale;             /* rows of this kernel for one of the span */
    int32_t limit;             /* rows from here on are left out */
    uint32_t groups_x, groups_z;
    double macs_per_row;
} swin2sr__vk_op;

typedef struct swin2sr__vk_rings {
    swin2sr__vk_ring input, tables; /* tables: of bicubic interpolation */
    swin2sr__vk_ring features[SWIN2SR__MAX_GROUPS], conv_in[SWIN2SR__MAX_GROUPS], narrow[SWIN2SR__MAX_GROUPS],
        residual[SWIN2SR__MAX_GROUPS];
    swin2sr__vk_ring body, body_narrow;
    swin2sr__vk_ring stages[SWIN2SR__MAX_STAGES + 1]; /* the last one used holds the values of the output's pixels */
    swin2sr__vk_ring bicubic, cubic;
    swin2sr__vk_ring attended, hidden, y, narrowed; /* of one step; all but y share memory */
    swin2sr__vk_ring output, aux;                   /* pixels */
} swin2sr__vk_rings;

typedef struct swin2sr__vk_engine {
    swin2sr__engine base;
    const swin2sr__vk_network *network;
    swin2sr__engine_options options;
    swin2sr__side rows, columns;
    int32_t H, W;
    swin2sr__vk_rings rings;
    swin2sr__vk_buffer device, host;
    swin2sr__vk_commands commands;
    VkDescriptorPool pool;
    swin2sr__vk_op *ops; /* NULL while counting */
    int32_t ops_count, ops_room;
    int32_t head_from;  /* ops before it are the body's */
    double budget_macs; /* of one submission */
    double recorded_macs;
    uint64_t sampled_us; /* when the use of memory was last compared with the budget */
    int32_t over_count;  /* samples in a row that were over it */
} swin2sr__vk_engine;

/* rings.c: place all rings and count their bytes. own is SIZE_MAX where a ring is larger than the device can bind. */
swin2sr__engine_bytes swin2sr__vk_rings_lay_out(swin2sr__vk_engine *engine, const swin2sr__ring_rows *rows);

/* program.c: list the dispatches of the image and bind their rings; without memory for the list, only count them. */
void swin2sr__vk_program_build(swin2sr__vk_engine *engine);

/* run.c: run dispatches [from, to) over the rows of the schedule, in as many submissions as their work needs; the last
 * one is left recorded until the flush.  errors: _CANCELLED, _NOMEM, _IO (the device is lost). _NOMEM too when
 * the device's memory is over its budget in several samples in a row: the next image is then planned for less. */
swin2sr_status swin2sr__vk_run(swin2sr__vk_engine *engine, int32_t from, int32_t to);
swin2sr_status swin2sr__vk_run_begin(swin2sr__vk_engine *engine);
swin2sr_status swin2sr__vk_run_flush(swin2sr__vk_engine *engine);

/* input.c: store a row of pixels, or a padding row; the tables of bicubic interpolation. */
void swin2sr__vk_take_row(swin2sr__vk_engine *engine, const void *pixels);
void swin2sr__vk_pad_row(swin2sr__vk_engine *engine);
void swin2sr__vk_fill_tables(swin2sr__vk_engine *engine);
