/* SPDX-License-Identifier: Apache-2.0
 * backlog/disk.c - the files of kept jobs in the folder of --data (stage 3 of 9, dispatch).
 * In: a job and what is to be written.  Out: files, in an order that makes a crash harmless; kept->status.
 * Called on the I/O thread. It touches pending, text, begin_text, status, is_set_aside, input.fd, job.result.fd and
 * job.preview.fd. */
#include <string.h>
#include <sys/stat.h>

#include "backlog/backlog.h"
#include "config/limits.h"

static swin2sr_status write_record(const kept_job *kept, const char *text) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_record_name(kept, name);
    return text ? data_write(kept->owner->data->records, name, text, strlen(text)) : SWIN2SR_NOMEM;
}

static swin2sr_status remove_input(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_input_name(kept, name);
    return data_remove(kept->owner->data->uploads, name);
}

static swin2sr_status remove_result(const kept_job *kept) {
    const char *name = kept->pending.result_name;
    char preview[LIMIT_RESULT_NAME_BYTES];
    if (!name[0])
        return SWIN2SR_OK;
    kept_preview_name(&kept->pending, preview);
    swin2sr_status status = data_remove(kept->owner->data->outputs, preview);
    return status == SWIN2SR_OK ? data_remove(kept->owner->data->outputs, name) : status;
}

static swin2sr_status write_new(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES], record[LIMIT_RESULT_NAME_BYTES];
    kept_input_name(kept, name);
    kept_record_name(kept, record);
    swin2sr_status status = data_keep(kept->input.fd, kept->owner->data->uploads, name);
    if (status == SWIN2SR_OK)
        status = write_record(kept, kept->text);
    if (status != SWIN2SR_OK) { /* the record may have got its name before the flush of the folder failed */
        (void)data_remove(kept->owner->data->records, record);
        (void)remove_input(kept);
    }
    return status;
}

/* Whoever may enter outputs/ may read the results in it. A file of this name is that of an earlier attempt whose record
 * could not be written. It is replaced. */
static swin2sr_status keep_output(const kept_job *kept, const store_file *file, const char *name) {
    int folder = kept->owner->data->outputs;
    (void)fchmod(file->fd, LIMIT_RESULT_MODE);
    swin2sr_status status = data_keep(file->fd, folder, name);
    if (status == SWIN2SR_INVALID && data_remove(folder, name) == SWIN2SR_OK)
        status = data_keep(file->fd, folder, name);
    return status;
}

swin2sr_status kept_take_checksums(kept_job *kept) {
    job_record *record = &kept->pending;
    const job *item = &kept->job;
    swin2sr_status status = checksum_of(item->result.fd, record->done.out_bytes, record->result_sha256);
    if (status == SWIN2SR_OK && record->done.preview_bytes > 0)
        status = checksum_of(item->preview.fd, record->done.preview_bytes, record->preview_sha256);
    return status;
}

static bool set_input_aside(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_input_name(kept, name);
    return data_quarantine(kept->owner->data, kept->owner->data->uploads, name);
}

static swin2sr_status write_end(kept_job *kept) {
    const job_record *record = &kept->pending;
    char preview[LIMIT_RESULT_NAME_BYTES];
    swin2sr_status status = SWIN2SR_OK;
    kept_preview_name(record, preview);
    if (record->status == RECORD_SUCCEEDED)
        status = kept_take_checksums(kept);
    if (status == SWIN2SR_OK && record->status == RECORD_SUCCEEDED && record->done.preview_bytes > 0)
        status = keep_output(kept, &kept->job.preview, preview);
    if (status == SWIN2SR_OK && record->status == RECORD_SUCCEEDED)
        status = keep_output(kept, &kept->job.result, record->result_name);
    kept->text = record_to_text(record);
    if (status == SWIN2SR_OK)
        status = write_record(kept, kept->text);
    /* what these leave is removed at the next start */
    if (status != SWIN2SR_OK)
        (void)remove_result(kept);
    else if (kept->is_input_damaged)
        kept->is_set_aside = set_input_aside(kept);
    else if (record->status != RECORD_SUCCEEDED)
        (void)remove_input(kept);
    return status;
}

/* The record forgets the damaged file, whether or not it could be moved. */
static swin2sr_status write_damaged(kept_job *kept) {
    const data_folder *data = kept->owner->data;
    char preview[LIMIT_RESULT_NAME_BYTES];
    kept_preview_name(&kept->record, preview);
    switch (kept->damaged) {
    case KEPT_INPUT:
        kept->is_set_aside = set_input_aside(kept);
        return SWIN2SR_OK;
    case KEPT_PREVIEW:
        kept->is_set_aside = data_quarantine(data, data->outputs, preview);
        return write_record(kept, kept->text);
    default:
        kept->is_set_aside = data_quarantine(data, data->outputs, kept->record.result_name);
        (void)data_remove(data->outputs, preview);
        return write_record(kept, kept->text);
    }
}

static swin2sr_status remove_all(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_record_name(kept, name);
    swin2sr_status result = remove_result(kept), input = remove_input(kept);
    if (result != SWIN2SR_OK || input != SWIN2SR_OK)
        return SWIN2SR_IO;
    return data_remove(kept->owner->data->records, name);
}

void kept_disk_write(kept_job *kept) {
    switch (kept->write) {
    case KEPT_WRITE_NEW:
        kept->status = write_new(kept);
        break;
    case KEPT_WRITE_STATE:
        kept->status = write_record(kept, kept->text);
        break;
    case KEPT_WRITE_END:
        kept->status = write_end(kept);
        break;
    case KEPT_WRITE_EXPIRED:
        kept->status = remove_result(kept);
        if (kept->status == SWIN2SR_OK)
            kept->status = remove_input(kept);
        if (kept->status == SWIN2SR_OK)
            kept->status = write_record(kept, kept->text);
        break;
    case KEPT_WRITE_DAMAGED:
        kept->status = write_damaged(kept);
        break;
    case KEPT_WRITE_NOTHING:
        kept->status = remove_all(kept);
        break;
    default: /* of jobs that several servers share */
        break;
    }
}

void kept_disk_begin(const kept_job *kept) {
    (void)write_record(kept, kept->begin_text); /* the job can be done again without it */
}
