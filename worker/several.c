/* SPDX-License-Identifier: Apache-2.0
 * several.c - a job of several pictures (stages 4 decode to 8 encode of 9).
 * In: a bundle: the files and a list of them.  Out: a ZIP with a result or a problem document for each, in order.
 * What went wrong with one picture says nothing about the next one. Where the job itself cannot go on, there is no ZIP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ipc/bundle.h"
#include "work.h"
#include "zip.h"

typedef struct several {
    work *work;
    bundle list;
    zip_file zip;
    const unsigned char *data; /* of the file at hand */
    double all_us, done_us;    /* predicted */
    ipc_done done;
    char faults[160]; /* of the first files that failed */
    swin2sr_error *reterr;
} several;

static swin2sr_status say_why_not_written(several *self) {
    return self->zip.is_long ? swin2sr__error_set(self->reterr, SWIN2SR_TOO_LARGE,
                                                  "the ZIP would have 4 GiB or more; send fewer images at a time")
                             : swin2sr__error_set(self->reterr, SWIN2SR_IO, "there is no room for the result");
}

/* ---- a file that failed ---- */

/* The inside of a JSON string. */
static bool write_escaped(zip_file *zip, const char *text) {
    bool is_written = true;
    for (; *text && is_written; text++) {
        char escaped[8];
        bool is_plain = *text >= 0x20 && *text < 0x7f && *text != '"' && *text != '\\';
        int length = is_plain ? 1 : snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned char)*text);
        is_written = zip_write(zip, is_plain ? text : escaped, (size_t)length);
    }
    return is_written;
}

/* A document, with the detail if it has a place for it. */
static bool write_document(zip_file *zip, bundle_text document, const char *detail) {
    const char *place = memmem(document.text, document.bytes, BUNDLE_DETAIL, strlen(BUNDLE_DETAIL));
    size_t before = place ? (size_t)(place - document.text) : document.bytes;
    size_t after = place ? before + strlen(BUNDLE_DETAIL) : document.bytes;
    return zip_write(zip, document.text, before) && (!place || write_escaped(zip, detail)) &&
           zip_write(zip, document.text + after, document.bytes - after);
}

static void note_fault(several *self, const bundle_file *file, const char *detail) {
    size_t used = strlen(self->faults);
    self->done.files_failed++;
    if (used < sizeof self->faults)
        snprintf(self->faults + used, sizeof self->faults - used, "; %s: %s", file->name, detail);
}

static swin2sr_status write_fault(several *self, const bundle_file *file, bundle_text document, const char *detail) {
    char name[BUNDLE_NAME_BYTES + 16];
    snprintf(name, sizeof name, "%s.problem.json", file->name);
    note_fault(self, file, detail);
    return zip_begin(&self->zip, name) && write_document(&self->zip, document, detail) && zip_end(&self->zip)
               ? SWIN2SR_OK
               : say_why_not_written(self);
}

/* ---- a file ---- */

static uint32_t most(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static void add_done(ipc_done *all, const ipc_done *one) {
    all->in_pixels += one->in_pixels;
    all->out_pixels += one->out_pixels;
    all->decode_us += one->decode_us;
    all->infer_us += one->infer_us;
    all->encode_us += one->encode_us;
    all->frames_reused += one->frames_reused;
    all->plan_columns = most(all->plan_columns, one->plan_columns);
    all->plan_bands = most(all->plan_bands, one->plan_bands);
    all->notes |= one->notes;
    if (one->plan_memory_bytes > all->plan_memory_bytes)
        all->plan_memory_bytes = one->plan_memory_bytes;
}

/* A plan of the job, which is tried after one that took too much memory, goes before that of the file. */
static swin2sr_status enlarge_file(several *self, const bundle_file *file, swin2sr_error *reterr) {
    const ipc_job *job = self->work->job;
    bool is_cheaper = job->tile_px || job->shrink_px || job->memory_bytes;
    const work_picture picture = {.data = self->data,
                                  .size = (size_t)file->bytes,
                                  .format = file->format,
                                  .frames_max = file->frames_max,
                                  .tile_px = is_cheaper ? job->tile_px : file->tile_px,
                                  .shrink_px = is_cheaper && job->shrink_px ? job->shrink_px : file->shrink_px,
                                  .memory_bytes = is_cheaper ? job->memory_bytes : file->memory_bytes,
                                  .sink = zip_write,
                                  .context = &self->zip};
    ipc_done done;
    swin2sr_status status = work_enlarge(self->work, &picture, &done, reterr);
    if (status == SWIN2SR_OK)
        add_done(&self->done, &done);
    return status;
}

/* Write the document of a status in place of a file. */
static swin2sr_status write_failure(several *self, const bundle_file *file, swin2sr_status status, const char *detail) {
    bundle_text document = -(int)status < BUNDLE_STATUSES ? self->list.problems[-(int)status] : (bundle_text){NULL, 0};
    if (!document.text)
        return swin2sr__error_set(self->reterr, SWIN2SR_INTERNAL, "a file failed in a way that cannot be reported");
    return write_fault(self, file, document, detail);
}

static swin2sr_status take_file(several *self, const bundle_file *file) {
    swin2sr_error error = {""};
    if (file->fault.bytes)
        return write_fault(self, file, file->fault, "refused");
    if (self->work->job->left_out >> self->work->file & 1)
        return write_failure(self, file, SWIN2SR_INTERNAL, "the work on this image failed twice and was given up");
    if (!zip_begin(&self->zip, file->result))
        return say_why_not_written(self);
    swin2sr_status status = enlarge_file(self, file, &error);
    if (status == SWIN2SR_OK && zip_end(&self->zip))
        return SWIN2SR_OK;
    if (self->zip.is_full || self->zip.is_long)
        return say_why_not_written(self);
    if (self->work->is_cancelled)
        return swin2sr__error_set(self->reterr, SWIN2SR_CANCELLED, "cancelled");
    zip_drop(&self->zip);
    return write_failure(self, file, status, error.text[0] ? error.text : "the image could not be enlarged");
}

static swin2sr_status take_all(several *self) {
    swin2sr_status status = SWIN2SR_OK;
    for (size_t i = 0; i < self->list.count; i++)
        self->all_us += (double)self->list.files[i].cost_us + 1;
    for (size_t i = 0; i < self->list.count && status == SWIN2SR_OK; i++) {
        const bundle_file *file = &self->list.files[i];
        self->work->file = (uint32_t)i;
        self->work->before = self->done_us / self->all_us;
        self->work->share = ((double)file->cost_us + 1) / self->all_us;
        work_say_progress(self->work, self->work->before, 0);
        status = take_file(self, file);
        self->done_us += (double)file->cost_us + 1;
        self->data += file->bytes;
    }
    if (status == SWIN2SR_OK && self->done.files_failed == self->list.count)
        return swin2sr__error_set(self->reterr, SWIN2SR_INVALID, "none of the %zu files could be enlarged%s",
                                  self->list.count, self->faults);
    if (status == SWIN2SR_OK && !zip_finish(&self->zip))
        status = say_why_not_written(self);
    self->done.files = (uint32_t)self->list.count;
    self->done.choice = self->work->undamaged ? CHOICE_SEVERAL : CHOICE_NONE;
    self->done.out_bytes = self->zip.bytes;
    return status;
}

swin2sr_status several_enlarge(work *by, const void *data, int out_fd, ipc_done *ret_done, swin2sr_error *reterr) {
    const ipc_job *job = by->job;
    several *self = calloc(1, sizeof *self);
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for several images");
    self->work = by;
    self->data = data;
    self->reterr = reterr;
    swin2sr_status status = SWIN2SR_CORRUPT;
    if (job->list_bytes < job->in_bytes)
        status = bundle_read((const char *)data + (job->in_bytes - job->list_bytes), job->list_bytes,
                             job->in_bytes - job->list_bytes, &self->list);
    if (status != SWIN2SR_OK)
        swin2sr__error_set(reterr, status, "the list of the images is damaged");
    if (status == SWIN2SR_OK)
        status = zip_open(&self->zip, out_fd, self->list.count);
    if (status == SWIN2SR_OK)
        status = take_all(self);
    if (status == SWIN2SR_OK)
        *ret_done = self->done;
    zip_done(&self->zip);
    free(self);
    return status;
}
