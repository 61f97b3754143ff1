/* SPDX-License-Identifier: Apache-2.0
 * backlog/read.c - files that are read back, and compared with their checksums first (stage 9 of 9, respond).
 * In: a job.  Out: an open file whose bytes are those that were written, or that it is damaged.
 * A file that was compared less than LIMIT_PROOF_S ago, and has not changed since by its inode, size and times, is not
 * read again. Requests that come while a file is being read wait for the same checksum. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backlog/backlog.h"
#include "base/clock.h"

static int open_file(const kept_job *kept, kept_file which) {
    char preview[LIMIT_RESULT_NAME_BYTES];
    const job_record *record = &kept->record;
    if (which == KEPT_INPUT)
        return backlog_open_input(kept);
    if (!record_has_result(record))
        return -1;
    if (which == KEPT_PREVIEW && record->done.preview_bytes == 0)
        return -1;
    kept_preview_name(record, preview);
    return openat(kept->owner->data->outputs, which == KEPT_PREVIEW ? preview : record->result_name,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static const char *sha256_of(const kept_job *kept, kept_file which) {
    const job_record *record = &kept->record;
    return which == KEPT_INPUT     ? record->input_sha256
           : which == KEPT_PREVIEW ? record->preview_sha256
                                   : record->result_sha256;
}

static uint64_t bytes_of(const kept_job *kept, kept_file which) {
    const job_record *record = &kept->record;
    return which == KEPT_INPUT     ? record->spec.in_bytes
           : which == KEPT_PREVIEW ? record->done.preview_bytes
                                   : record->done.out_bytes;
}

static bool is_same_time(const struct timespec *one, const struct timespec *other) {
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

/* Is this the file that was compared, and not long ago? */
static bool is_proven(const kept_proof *proof, int fd) {
    struct stat now;
    return proof->at_us > 0 && swin2sr__clock_us() - proof->at_us < (uint64_t)LIMIT_PROOF_S * 1000000 &&
           fstat(fd, &now) == 0 && now.st_ino == proof->inode && (uint64_t)now.st_size == proof->bytes &&
           is_same_time(&now.st_mtim, &proof->modified) && is_same_time(&now.st_ctim, &proof->changed);
}

/* ---- the comparison ---- */

static void on_checksum(void *context, swin2sr_status status, const char *sha256) {
    kept_proof *proof = context;
    kept_job *kept = proof->job;
    kept_file which = (kept_file)(proof - kept->proofs);
    if (status == SWIN2SR_OK && strcmp(sha256, sha256_of(kept, which)) == 0) {
        proof->at_us = swin2sr__clock_us();
        for (kept_read *each = kept_reads_take(kept, which), *next; each; each = next) {
            next = each->next;
            each->job = NULL;
            backlog_read(kept, each);
        }
        return;
    }
    proof->is_damaged = true;
    kept_reads_refuse(kept, which, SWIN2SR_CORRUPT);
    if (kept->phase == KEPT_ACCEPTED && record_has_result(&kept->record))
        backlog_set_aside(kept, which);
}

/* The properties are those before it is read, so that a change in the meantime shows. */
static swin2sr_status start(kept_job *kept, kept_file which, int fd) {
    kept_proof *proof = &kept->proofs[which];
    struct stat info;
    proof->job = kept;
    proof->at_us = 0;
    if (fstat(fd, &info) != 0)
        return SWIN2SR_IO;
    proof->inode = info.st_ino;
    proof->bytes = (uint64_t)info.st_size;
    proof->modified = info.st_mtim;
    proof->changed = info.st_ctim;
    return checksum_start(kept->owner->io, fd, bytes_of(kept, which), on_checksum, proof, &proof->running);
}

void backlog_read(kept_job *kept, kept_read *self) {
    kept_proof *proof = &kept->proofs[self->which];
    proof->is_damaged &= kept->phase == KEPT_SETTLING; /* otherwise it is another file by now, or was not set aside */
    errno = 0;                                         /* where nothing is opened */
    int fd = proof->is_damaged ? -1 : open_file(kept, self->which);
    swin2sr_status missing = proof->is_damaged ? SWIN2SR_CORRUPT : io_is_short(errno) ? SWIN2SR_NOMEM : SWIN2SR_IO;
    if (fd < 0 || !sha256_of(kept, self->which)[0] || is_proven(proof, fd)) {
        self->on_open(self->context, fd < 0 ? missing : SWIN2SR_OK, fd);
        return;
    }
    self->job = kept;
    self->next = proof->waiters;
    proof->waiters = self;
    swin2sr_status status = proof->running ? SWIN2SR_OK : start(kept, self->which, fd);
    close(fd);
    if (status != SWIN2SR_OK)
        kept_reads_refuse(kept, self->which, status);
}
