/* SPDX-License-Identifier: Apache-2.0
 * engine/engine.h - the row pipeline: rows of pixels in, enlarged rows out (stage 6 of 9), on one of several devices.
 * In: rows, top to bottom.  Out: rows through a callback.
 * All memory is measured before it is allocated at open; nothing is allocated while rows flow. The result is that of
 * the network on the whole image. Its bits do not depend on threads or on rows per step. A device is a table of
 * functions (swin2sr__device). choose.c takes the one that the options of the model name. */
#pragma once

#include "engine/device_list.h"
#include "engine/schedule.h"
#include "model/network.h"
#include "model/weights.h"
#include <swin2sr/threads.h>

/* The layers whose outputs a tap receives. */
typedef enum swin2sr__tap_layer {
    SWIN2SR__TAP_EMBED, /* after the embedding's norm */
    SWIN2SR__TAP_BLOCK, /* one block of one group */
    SWIN2SR__TAP_GROUP  /* the group with its residual */
} swin2sr__tap_layer;

/* For tests; called on any thread. values [C][lanes], and the pixel of each lane (y < 0: the lane is empty). */
typedef void (*swin2sr__tap)(void *context, swin2sr__tap_layer layer, int32_t group, int32_t block, int32_t lanes,
                             const int32_t *y, const int32_t *x, const float *values);

typedef struct swin2sr__engine_options {
    int32_t width_px, height_px;
    int32_t x_px, y_px;                      /* where a piece lies in the whole image */
    int32_t whole_width_px, whole_height_px; /* 0: this is the whole image */
    int32_t rows;                            /* rows of windows per step, R */
    uint32_t threads;
    swin2sr_pad pad;
    swin2sr_pixel input_pixel, output_pixel;
    swin2sr_on_rows on_rows;
    void *rows_context;
    swin2sr_on_rows on_aux_rows; /* for the second image of a network that has one; NULL: not wanted */
    void *aux_context;
    swin2sr_on_progress on_progress;
    void *progress_context;
    swin2sr__tap tap; /* NULL outside tests */
    void *tap_context;
} swin2sr__engine_options;

typedef struct swin2sr__device swin2sr__device;

/* A network in the form that a device runs; immutable, shared by engines. First member of the device's own struct. */
typedef struct swin2sr__packed {
    const swin2sr__device *device; /* set by engine.c */
    swin2sr__network network;
    swin2sr_precision precision; /* never AUTO */
    const char *kernels;         /* the kernels that run it: "c", "avx2", ... */
    const char *kernels_note;    /* why faster ones are not used; "": there are none */
    size_t bytes;
    char device_name[256];   /* "": the CPU */
    char device_driver[320]; /* its driver and version */
    char device_note[256];   /* why a device that was asked for is not used; "": it is */
    int32_t step_columns_px; /* columns x rows of windows per step that keep the device busy; 0: as the CPU needs */
    _Atomic bool is_lost;    /* the device no longer computes; never unset */
} swin2sr__packed;

/* Memory for one image after another. First member of the device's own struct. */
typedef struct swin2sr__engine {
    const swin2sr__device *device; /* set by engine.c */
    swin2sr__schedule schedule;    /* set up by begin */
    int32_t height_px, pushed;     /* rows of the image, and of those, the rows pushed so far */
    int32_t available;             /* rows that the device has: those pushed, and padding rows */
    swin2sr_status status;         /* sticky until the next begin */
} swin2sr__engine;

/* Memory of an image: the device's own, and what both it and the host reach, of which the CPU has none. */
typedef struct swin2sr__engine_bytes {
    size_t own, shared; /* own: SIZE_MAX: overflow, or more than the device can hold in one piece */
} swin2sr__engine_bytes;

/* What a device implements. */
struct swin2sr__device {
    /* Fold and pack the weights. errors: _UNSUPPORTED (the next device is tried), _INVALID, _MODEL, _NOMEM. */
    swin2sr_status (*pack)(const swin2sr__network *network, const swin2sr__weights *weights,
                           const swin2sr_model_options *options, swin2sr__packed **ret_packed, swin2sr_error *reterr);
    void (*unpack)(swin2sr__packed *packed);
    /* List the devices of this kind that the machine has; NULL: the CPU.
     * errors  _UNSUPPORTED: none; the detail says what is missing. */
    swin2sr_status (*list)(swin2sr__device_info *infos, size_t capacity, size_t *ret_count, swin2sr_error *reterr);
    /* What an image needs, and how many input rows precede the first output row. */
    swin2sr__engine_bytes (*measure)(const swin2sr__packed *packed, const swin2sr__engine_options *options,
                                     int32_t *ret_latency_rows);
    /* The bytes that an image may take now; NULL: only the caller's budget counts. */
    size_t (*limit)(const swin2sr__packed *packed);
    /* Allocate the memory for all later images; packed and threads are borrowed until close.
     * bytes  Each at least what measure returns for each image.  errors: _NOMEM. */
    swin2sr_status (*open)(const swin2sr__packed *packed, swin2sr_threads *threads, swin2sr__engine_bytes bytes,
                           swin2sr__engine **ret_engine);
    /* Begin an image, in whatever state the last one is, and set up its schedule; allocates nothing.
     * errors  _NOMEM (too few bytes). */
    swin2sr_status (*begin)(swin2sr__engine *engine, const swin2sr__engine_options *options);
    /* Read row engine->available, which is the image's next row; borrowed during the call. */
    void (*push)(swin2sr__engine *engine, const void *row);
    /* Make row engine->available, below the image, a padding row. */
    void (*pad)(swin2sr__engine *engine);
    /* Run the step that the schedule has planned, and pass its rows to on_rows.
     * errors  _CANCELLED, what on_rows returned; of a GPU: _NOMEM (others need its memory), _IO (it is lost). */
    swin2sr_status (*run)(swin2sr__engine *engine);
    void (*close)(swin2sr__engine *engine);
};

extern const swin2sr__device swin2sr__device_cpu, swin2sr__device_vulkan;

/* Pack the network for the device that options->device names. A device besides the CPU is first compared with the CPU
 * (self_test.h); with "auto" the CPU takes over where that, or anything before it, fails.
 * weights  Borrowed during the call.
 * options  NULL for the defaults; window and range are already in the network.
 * errors   _UNSUPPORTED, _INVALID, _MODEL, _NOMEM. */
swin2sr_status swin2sr__engine_pack(const swin2sr__network *network, const swin2sr__weights *weights,
                                    const swin2sr_model_options *options, swin2sr__packed **ret_packed,
                                    swin2sr_error *reterr);
/* Open, begin and push on the network's device. Push takes n rows and runs every step that they allow.
 * errors  Those of the device; push: _INVALID (too many rows). */
swin2sr_status swin2sr__engine_open(const swin2sr__packed *packed, swin2sr_threads *threads,
                                    swin2sr__engine_bytes bytes, swin2sr__engine **ret_engine);
swin2sr_status swin2sr__engine_begin(swin2sr__engine *engine, const swin2sr__engine_options *options);
swin2sr_status swin2sr__engine_push(swin2sr__engine *engine, const void *rows, size_t stride_bytes, int32_t n);
