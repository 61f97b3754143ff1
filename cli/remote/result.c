/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/result.c - write what a service sends, and look at it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "probe/probe.h"
#include "result.h"

#define METADATA_BYTES ((uint64_t)16 << 20)

uint64_t result_max_bytes(uint64_t width_px, uint64_t height_px) {
    uint64_t raw = width_px * height_px * 4 + height_px; /* sides of at most 2^31 / 4 keep it in range */
    return raw + raw / 50 + METADATA_BYTES;              /* 2 %: what compression may add */
}

static bool refuse(result_writer *self, swin2sr_status status, const char *text) {
    self->status = swin2sr__error_set(&self->error, status, "%s", text);
    return false;
}

/* Drop what was written before, because the answer has the whole result. */
static bool begin_again(result_writer *self) {
    output_file *output = self->output;
    if (self->position == 0)
        return true;
    if (!output->whole.temporary)
        return refuse(self, SWIN2SR_IO, "the connection broke, and what was written to a pipe cannot be taken back");
    if (fflush(output->file) != 0 || ftruncate(output->whole.fd, 0) != 0 || fseek(output->file, 0, SEEK_SET) != 0)
        return refuse(self, SWIN2SR_IO, strerror(errno));
    self->position = self->head_bytes = 0;
    return true;
}

static bool begin(result_writer *self, const remote_answer *answer) {
    uint64_t first, last;
    self->is_begun = true;
    if (answer->code != 206)
        return begin_again(self);
    if (answer_parse_range(answer->range, &first, &last) && first == self->position)
        return true;
    return refuse(self, SWIN2SR_IO, "the service sent another part of the result than it was asked for");
}

bool result_take(result_writer *self, const remote_answer *answer, const void *bytes, size_t size) {
    if (!self->is_begun && !begin(self, answer))
        return false;
    if (size > self->max_bytes - self->position)
        return refuse(self, SWIN2SR_IO, "the service sent more bytes than such a result can have");
    size_t room = sizeof(self->head) - self->head_bytes, kept = size < room ? size : room;
    memcpy(self->head + self->head_bytes, bytes, kept);
    self->head_bytes += kept;
    self->position += size;
    if (output_sink(self->output, bytes, size))
        return true;
    return refuse(self, SWIN2SR_IO, strerror(self->output->error));
}

swin2sr_status result_check(result_writer *self, const char *host, swin2sr_error *reterr) {
    probe_info info = {.format = FORMAT_UNKNOWN};
    swin2sr_status status = probe_bytes(self->head, self->head_bytes, &info, NULL);
    bool is_cut = self->position > self->head_bytes;
    if (status == SWIN2SR_OK && info.format == self->format) {
        self->width_px = info.width_px;
        self->height_px = info.height_px;
        return SWIN2SR_OK;
    }
    if (is_cut && (status == SWIN2SR_CORRUPT || status == SWIN2SR_TOO_LARGE))
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s sent something else than a %s image", host,
                              format_get(self->format)->name);
}
