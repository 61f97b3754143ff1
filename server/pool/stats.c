/* SPDX-License-Identifier: Apache-2.0
 * pool/stats.c - facts, costs, metrics and log lines of a network (stage 3 of 9, dispatch).
 * In: READY and DONE of its workers.  Out: the network's facts and counters, one log line each. */
#include "pool/stats.h"

#include "base/clock.h"

void stats_note_ready(network *self, const worker *by, const ipc_ready *ready) {
    self->facts = *ready;
    estimate_take_self_test(&self->time, ready->us_per_megapixel);
    log_event(self->owner->log, LOG_LEVEL_INFO, "worker_ready",
              "s:i, s:s, s:s, s:i, s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I", "worker_pid", (int)by->pid, "model",
              self->served->name, "sha256", ready->sha256, "scale", (int)ready->scale, "kernels", ready->kernels,
              "kernels_note", ready->kernels_note, "precision", ready->precision, "memory_bytes",
              (long long)ready->memory_bytes, "self_test", ready->check, "us_per_megapixel",
              (long long)ready->us_per_megapixel, "base_bytes", (long long)ready->base_bytes, "column_bytes",
              (long long)ready->column_bytes);
}

void stats_note_done(const job *item, const worker *by) {
    network *self = item->network;
    const ipc_done *done = &item->done;
    model_metrics *counts = self->counts;
    estimate_learn(&self->time, estimate_pixels(done->in_width_px, done->in_height_px),
                   swin2sr__clock_us() - item->started_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_QUEUE], item->started_us - item->queued_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_DECODE], done->decode_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_INFER], done->infer_us);
    metrics_observe(&counts->stage_seconds[METRICS_STAGE_ENCODE], done->encode_us);
    counts->in_pixels += (uint64_t)done->in_width_px * done->in_height_px;
    counts->out_pixels += (uint64_t)done->out_width_px * done->out_height_px;
    log_event(self->owner->log, LOG_LEVEL_INFO, "enlarged",
              "s:s, s:s*, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I", "request_id",
              item->spec.request_id, "traceparent", job_trace(item), "model", self->served->name, "worker_pid",
              (int)by->pid, "attempt", item->attempts, "in_width", (int)done->in_width_px, "in_height",
              (int)done->in_height_px, "out_width", (int)done->out_width_px, "out_height", (int)done->out_height_px,
              "out_bytes", (long long)done->out_bytes, "decode_us", (long long)done->decode_us, "infer_us",
              (long long)done->infer_us, "encode_us", (long long)done->encode_us, "memory_bytes",
              (long long)done->plan_memory_bytes);
}
