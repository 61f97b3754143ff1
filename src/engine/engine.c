/* SPDX-License-Identifier: Apache-2.0
 * engine/engine.c - the loop that drives a device (stage 6 of 9). */
#include "engine/engine.h"

swin2sr_status swin2sr__engine_open(const swin2sr__packed *packed, swin2sr_threads *threads,
                                    swin2sr__engine_bytes bytes, swin2sr__engine **ret_engine) {
    swin2sr_status status = packed->device->open(packed, threads, bytes, ret_engine);
    if (status == SWIN2SR_OK)
        (*ret_engine)->device = packed->device;
    return status;
}

swin2sr_status swin2sr__engine_begin(swin2sr__engine *engine, const swin2sr__engine_options *options) {
    engine->height_px = options->height_px;
    engine->pushed = engine->available = 0;
    return engine->status = engine->device->begin(engine, options);
}

/* Plan the next step. After the last row of the image, padding rows are added as they are needed.
 * returns  false: the step needs more rows, or the image is complete. */
static bool plan_step(swin2sr__engine *engine) {
    while (!swin2sr__schedule_step(&engine->schedule, engine->available)) {
        if (engine->pushed < engine->height_px || engine->available == engine->schedule.side.padded)
            return false;
        engine->device->pad(engine);
        engine->available++;
    }
    return true;
}

swin2sr_status swin2sr__engine_push(swin2sr__engine *engine, const void *rows, size_t stride_bytes, int32_t n) {
    if (engine->status == SWIN2SR_OK && (n < 0 || n > engine->height_px - engine->pushed))
        engine->status = SWIN2SR_INVALID;
    for (int32_t i = 0; i < n && engine->status == SWIN2SR_OK; i++) {
        engine->device->push(engine, (const char *)rows + (size_t)i * stride_bytes);
        engine->pushed++;
        engine->available++;
        while (engine->status == SWIN2SR_OK && plan_step(engine))
            engine->status = engine->device->run(engine);
    }
    return engine->status;
}
