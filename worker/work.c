/* SPDX-License-Identifier: Apache-2.0
 * work.c - one job in a worker (stages 4 decode to 8 encode of 9).
 * In: a descriptor with an image file, or several.  Out: the enlarged image in another descriptor, or a ZIP of them, and
 * DONE; or FAILED.
 * The input is mapped; the output is written row by row. */
#include "work.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/write.h"

/* A file that is written from its beginning to its end. */
typedef struct work_file {
    int fd;
    uint64_t bytes;
    bool is_full; /* it could not be written */
} work_file;

static bool on_bytes(void *context, const void *bytes, size_t size) {
    work_file *self = context;
    size_t written = swin2sr__write_at(self->fd, bytes, size, self->bytes);
    self->bytes += written;
    self->is_full = written < size;
    return !self->is_full;
}

static swin2sr_status enlarge_one(work *self, const void *data, const int fds[IPC_JOB_FDS], ipc_done *ret_done,
                                  swin2sr_error *reterr) {
    const ipc_job *job = self->job;
    work_file out = {.fd = fds[1]}, preview = {.fd = fds[2]};
    const work_picture picture = {.data = data,
                                  .size = (size_t)job->in_bytes,
                                  .format = job->format,
                                  .frames_max = job->frames_max,
                                  .tile_px = job->tile_px,
                                  .shrink_px = job->shrink_px,
                                  .memory_bytes = job->memory_bytes,
                                  .sink = on_bytes,
                                  .context = &out,
                                  .preview_sink = on_bytes,
                                  .preview_context = &preview};
    self->share = 1;
    swin2sr_status status = work_enlarge(self, &picture, ret_done, reterr);
    if (out.is_full || preview.is_full)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "there is no room for the result");
    ret_done->out_bytes = out.bytes;
    ret_done->preview_bytes = preview.bytes;
    return status;
}

static swin2sr_status enlarge(work *self, const int fds[IPC_JOB_FDS], ipc_done *ret_done, swin2sr_error *reterr) {
    size_t size = (size_t)self->job->in_bytes;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fds[0], 0);
    if (data == MAP_FAILED)
        return swin2sr__error_set(reterr, errno == ENOMEM ? SWIN2SR_NOMEM : SWIN2SR_IO, "the upload cannot be read");
    swin2sr_status status = self->job->list_bytes ? several_enlarge(self, data, fds[1], ret_done, reterr)
                                                  : enlarge_one(self, data, fds, ret_done, reterr);
    munmap(data, size);
    return status;
}

void work_run(int socket, const networks *all, swin2sr_threads *threads, const ipc_job *job, const int fds[IPC_JOB_FDS],
              ipc_message *ret_message) {
    work self = {.socket = socket, .model = all->models[job->network], .threads = threads, .job = job};
    if (job->undamaged)
        self.undamaged = all->models[job->undamaged - 1];
    swin2sr_error error = {""};
    work_say_progress(&self, 0, 0);
    *ret_message = (ipc_message){.type = IPC_DONE};
    swin2sr_status status = enlarge(&self, fds, &ret_message->done, &error);
    ret_message->done.id = job->id;
    if (status == SWIN2SR_OK)
        return;
    *ret_message = (ipc_message){.type = IPC_FAILED};
    ret_message->failed.id = job->id;
    ret_message->failed.status = status;
    ipc_text_set(ret_message->failed.detail, sizeof ret_message->failed.detail,
                 error.text[0] ? error.text : "the image could not be enlarged");
}
