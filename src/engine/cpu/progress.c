/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/progress.c - progress to the caller and the caller's cancel, between tasks. */
#include "base/clock.h"
#include "engine/cpu/state.h"

#define PROGRESS_US 20000

bool swin2sr__cpu_report_progress(swin2sr__cpu_engine *engine) {
    const swin2sr__engine_options *options = &engine->options;
    if (options->on_progress &&
        !options->on_progress(options->progress_context, swin2sr__schedule_progress(&engine->schedule)))
        atomic_store(&engine->is_cancelled, true);
    return !atomic_load_explicit(&engine->is_cancelled, memory_order_relaxed);
}

bool swin2sr__cpu_goes_on(swin2sr__cpu_engine *engine, uint32_t thread) {
    if (thread == 0 && engine->options.on_progress) {
        uint64_t now_us = swin2sr__clock_us();
        if (now_us - engine->progress_us >= PROGRESS_US) {
            engine->progress_us = now_us;
            swin2sr__cpu_report_progress(engine);
        }
    }
    return !atomic_load_explicit(&engine->is_cancelled, memory_order_relaxed);
}
