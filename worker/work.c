/* SPDX-License-Identifier: Apache-2.0
 * work.c - one job in a worker (stages 4 decode to 8 encode of 9).
 * In: a descriptor with an image file.  Out: the enlarged image in another descriptor and DONE, or FAILED.
 * The input is mapped; the output is written row by row. Messages are exchanged in the engine's progress callback. */
#include "worker.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/write.h"
#include "enlarge/animation.h"

#define PROGRESS_EVERY_US 250000u

/* A file that is written from its beginning to its end. */
typedef struct work_file {
    int fd;
    uint64_t bytes;
    bool is_full; /* it could not be written */
} work_file;

typedef struct work {
    int socket;
    work_file out, preview;
    uint64_t id;
    uint64_t progress_us; /* when PROGRESS was last sent */
    bool is_cancelled;
} work;

static bool on_bytes(void *context, const void *bytes, size_t size) {
    work_file *self = context;
    size_t written = swin2sr__write_at(self->fd, bytes, size, self->bytes);
    self->bytes += written;
    self->is_full = written < size;
    return !self->is_full;
}

/* While a job runs, only CANCEL may arrive: for this job, or late for an earlier one. Anything else cancels too. */
static bool is_cancelled(work *self) {
    ipc_message message;
    int fds[IPC_JOB_FDS];
    swin2sr_status status = ipc_receive(self->socket, &message, fds, MSG_DONTWAIT);
    if (status == SWIN2SR_BUSY)
        return false;
    if (status != SWIN2SR_OK || message.type != IPC_CANCEL)
        return true;
    return message.cancel.id == self->id;
}

static void say_progress(work *self, double done, int flags) {
    double bounded = done < 0 ? 0 : done > 1 ? 1 : done;
    ipc_message message = {.type = IPC_PROGRESS, .progress.id = self->id};
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
        say_progress(self, done, MSG_DONTWAIT);
    return !self->is_cancelled;
}

static swin2sr_status enlarge(work *self, swin2sr_model *model, swin2sr_threads *threads, const ipc_job *job, int in_fd,
                              enlarge_report *ret_report, animation_report *ret_frames, swin2sr_error *reterr) {
    size_t size = (size_t)job->in_bytes;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, in_fd, 0);
    if (data == MAP_FAILED)
        return swin2sr__error_set(reterr, errno == ENOMEM ? SWIN2SR_NOMEM : SWIN2SR_IO, "the upload cannot be read");
    enlarge_options options = {
        .engine = {.shared_threads = threads,
                   .pad = SWIN2SR_PAD_AROUND,
                   .tile_px = (int32_t)job->tile_px,
                   .memory_bytes = (size_t)job->memory_bytes},
        .shrink_px = (int32_t)job->shrink_px,
        .out.format = (format_id)job->format,
        .out.quality = (int32_t)job->quality,
        .out.compression = (format_compression)job->compression,
        .metadata = job->metadata,
        .target = job->target,
        .limits = {.pixels = job->in_pixels_max, .side_px = IMAGE_MAX_SIDE_PX, .is_strict = job->is_strict != 0},
        .out_pixels = job->out_pixels_max,
        .on_progress = on_progress,
        .progress_context = self,
        .preview_sink = on_bytes,
        .preview_context = &self->preview,
        .preview_side_px = (int32_t)job->preview_side_px,
    };
    const animation_limits limits = {.frames = (int32_t)job->frames_max};
    swin2sr_status status = job->frames_max
                                ? animation_enlarge(model, data, size, &options, &limits, on_bytes, &self->out,
                                                    ret_report, ret_frames, reterr)
                                : enlarge_bytes(model, data, size, &options, on_bytes, &self->out, ret_report, reterr);
    munmap(data, size);
    if (self->out.is_full || self->preview.is_full)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "there is no room for the result");
    return status;
}

static void fill_done(const work *self, const enlarge_report *report, const animation_report *frames,
                      ipc_message *ret_message) {
    *ret_message = (ipc_message){.type = IPC_DONE};
    ret_message->done = (ipc_done){
        .id = self->id,
        .out_bytes = self->out.bytes,
        .preview_bytes = self->preview.bytes,
        .in_width_px = (uint32_t)report->in_width_px,
        .in_height_px = (uint32_t)report->in_height_px,
        .out_width_px = (uint32_t)report->out_width_px,
        .out_height_px = (uint32_t)report->out_height_px,
        .decode_us = report->decode_us,
        .infer_us = report->infer_us,
        .encode_us = report->encode_us,
        .plan_memory_bytes = report->plan.memory_bytes,
        .plan_columns = (uint32_t)report->plan.columns,
        .plan_bands = (uint32_t)report->plan.bands,
        .frames_reused = (uint32_t)frames->frames_reused,
        .notes = report->notes,
    };
}

void work_run(int socket, swin2sr_model *model, swin2sr_threads *threads, const ipc_job *job,
              const int fds[IPC_JOB_FDS], ipc_message *ret_message) {
    work self = {.socket = socket, .out.fd = fds[1], .preview.fd = fds[2], .id = job->id};
    enlarge_report report = {0};
    animation_report frames = {0};
    swin2sr_error error = {""};
    say_progress(&self, 0, 0);
    swin2sr_status status = enlarge(&self, model, threads, job, fds[0], &report, &frames, &error);
    if (status == SWIN2SR_OK) {
        fill_done(&self, &report, &frames, ret_message);
        return;
    }
    *ret_message = (ipc_message){.type = IPC_FAILED};
    ret_message->failed.id = job->id;
    ret_message->failed.status = status;
    ipc_text_set(ret_message->failed.detail, sizeof ret_message->failed.detail,
                 error.text[0] ? error.text : "the image could not be enlarged");
}
