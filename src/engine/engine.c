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
    engine->pushed = 0;
    return engine->status = engine->device->begin(engine, options);
}

swin2sr_status swin2sr__engine_push(swin2sr__engine *engine, const void *rows, size_t stride_bytes, int32_t n) {
    if (engine->status == SWIN2SR_OK && (n < 0 || n > engine->height_px - engine->pushed))
        engine->status = SWIN2SR_INVALID;
    for (int32_t i = 0; i < n && engine->status == SWIN2SR_OK; i++) {
        engine->device->push(engine, (const char *)rows + (size_t)i * stride_bytes);
        engine->pushed++;
        while (engine->status == SWIN2SR_OK && engine->device->start(engine))
            engine->status = engine->device->wait(engine);
    }
    return engine->status;
}
