/* SPDX-License-Identifier: Apache-2.0
 * picture.c - one picture of a job (stages 4 decode to 8 encode of 9).
 * In: a picture in memory.  Out: the enlarged picture, through a sink. Messages are exchanged in the engine's progress
 * callback. */
#include <sys/socket.h>

#include "base/clock.h"
#include "work.h"

#define PROGRESS_EVERY_US 250000u

/* While a job runs, only CANCEL may arrive: for this job, or late for an earlier one. Anything else cancels too. */
static bool is_cancelled(work *self) {
    ipc_message message;
    int fds[IPC_JOB_FDS];
    swin2sr_status status = ipc_receive(self->socket, &message, fds, MSG_DONTWAIT);
    if (status == SWIN2SR_BUSY)
        return false;
    if (status != SWIN2SR_OK || message.type != IPC_CANCEL)
        return true;
    return message.cancel.id == self->job->id;
}

void work_say_progress(work *self, double done, int flags) {
    double bounded = done < 0 ? 0 : done > 1 ? 1 : done;
    ipc_message message = {.type = IPC_PROGRESS, .progress.id = self->job->id};
    message.progress.file = self->file;
    message.progress.millionths = (uint32_t)(bounded * IPC_PROGRESS_DONE);
    self->progress_us = swin2sr__clock_us();
    if (ipc_send(self->socket, &message, NULL, flags) == SWIN2SR_IO)
        self->is_cancelled = true;
}

static bool on_progress(void *context, double done) {
    work *self = context;
    self->is_cancelled = self->is_cancelled || is_cancelled(self);
    /* if the socket is full, this PROGRESS is lost, which does no harm */
    if (!self->is_cancelled && swin2sr__clock_us() - self->progress_us >= PROGRESS_EVERY_US)
        work_say_progress(self, self->before + done * self->share, MSG_DONTWAIT);
    return !self->is_cancelled;
}

swin2sr_status work_enlarge(work *self, const work_picture *picture, ipc_done *ret_done, swin2sr_error *reterr) {
    const ipc_job *job = self->job;
    enlarge_options options = {
        .engine = {.shared_threads = self->threads,
                   .pad = SWIN2SR_PAD_AROUND,
                   .tile_px = (int32_t)picture->tile_px,
                   .memory_bytes = (size_t)picture->memory_bytes},
        .shrink_px = (int32_t)picture->shrink_px,
        .out.format = (format_id)picture->format,
        .out.quality = (int32_t)job->quality,
        .out.compression = (format_compression)job->compression,
        .metadata = job->metadata,
        .target = job->target,
        .limits = {.pixels = job->in_pixels_max, .side_px = IMAGE_MAX_SIDE_PX, .is_strict = job->is_strict != 0},
        .out_pixels = job->out_pixels_max,
        .on_progress = on_progress,
        .progress_context = self,
        .preview_sink = picture->preview_sink,
        .preview_context = picture->preview_context,
        .preview_side_px = picture->preview_sink ? (int32_t)job->preview_side_px : 0,
        .undamaged_model = self->undamaged,
    };
    const animation_limits limits = {.frames = (int32_t)picture->frames_max};
    enlarge_report report;
    animation_report frames = {0};
    swin2sr_status status = picture->frames_max
                                ? animation_enlarge(self->model, picture->data, picture->size, &options, &limits,
                                                    picture->sink, picture->context, &report, &frames, reterr)
                                : enlarge_bytes(self->model, picture->data, picture->size, &options, picture->sink,
                                                picture->context, &report, reterr);
    if (status != SWIN2SR_OK)
        return status;
    *ret_done = (ipc_done){
        .in_width_px = (uint32_t)report.in_width_px,
        .in_height_px = (uint32_t)report.in_height_px,
        .out_width_px = (uint32_t)report.out_width_px,
        .out_height_px = (uint32_t)report.out_height_px,
        .in_pixels = (uint64_t)report.in_width_px * (uint64_t)report.in_height_px,
        .out_pixels = (uint64_t)report.out_width_px * (uint64_t)report.out_height_px,
        .decode_us = report.decode_us,
        .infer_us = report.infer_us,
        .encode_us = report.encode_us,
        .plan_memory_bytes = report.plan.memory_bytes,
        .plan_columns = (uint32_t)report.plan.columns,
        .plan_bands = (uint32_t)report.plan.bands,
        .frames_reused = (uint32_t)frames.frames_reused,
        .notes = report.notes,
        .choice = report.choice,
    };
    return SWIN2SR_OK;
}
