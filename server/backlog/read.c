/* SPDX-License-Identifier: Apache-2.0
 * backlog/read.c - files that are read back, and compared with their checksums first (stage 9 of 9, respond).
 * In: a job.  Out: an open file whose bytes are those that were written, or that it is damaged.
 * A file that was compared less than LIMIT_PROOF_S ago, and has not changed since by its inode, size and times, is not
 * read again. Requests that come while a file is being read wait for the same checksum. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backlog/cluster.h"
#include "base/clock.h"

static bool has_file(const job_record *record, kept_file which) {
    return which == KEPT_INPUT ||
           (record_has_result(record) && (which == KEPT_RESULT || record->done.preview_bytes > 0));
}

static int open_file(const kept_job *kept, kept_file which) {
    char preview[LIMIT_RESULT_NAME_BYTES];
    const job_record *record = &kept->record;
    if (!has_file(record, which))
        return -1;
    if (which == KEPT_INPUT)
        return backlog_open_input(kept);
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

/* ---- of a cluster: the file is fetched from the shared store each time ---- */

/* A descriptor with its own offset for a reader. */
static void hand_out(const kept_proof *proof, kept_read *reader) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", proof->fetch->fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    reader->on_open(reader->context, fd < 0 ? SWIN2SR_NOMEM : SWIN2SR_OK, fd);
}

static swin2sr_status start(kept_job *kept, kept_file which, int fd);

static void on_fetched(kept_proof *proof) {
    kept_job *kept = proof->job;
    kept_file which = (kept_file)(proof - kept->proofs);
    object_result result = proof->fetch->result;
    swin2sr_status status = result == OBJECT_OK        ? start(kept, which, proof->fetch->fd)
                            : result == OBJECT_MISSING ? SWIN2SR_IO
                                                       : SWIN2SR_BUSY;
    if (status == SWIN2SR_OK)
        return;
    fetch_close(proof);
    kept_reads_refuse(kept, which, status);
}

static swin2sr_status fetch(kept_job *kept, kept_file which) {
    char preview[LIMIT_RESULT_NAME_BYTES], key[OBJECT_KEY_BYTES];
    kept_proof *proof = &kept->proofs[which];
    kept_preview_name(&kept->record, preview);
    snprintf(key, sizeof key, "%s%s", which == KEPT_INPUT ? OBJECT_INPUTS : OBJECT_RESULTS,
             which == KEPT_INPUT     ? kept->record.id
             : which == KEPT_PREVIEW ? preview
                                     : kept->record.result_name);
    proof->job = kept;
    return fetch_start(kept, proof, key, bytes_of(kept, which), on_fetched);
}

static void read_shared(kept_job *kept, kept_read *self) {
    kept_proof *proof = &kept->proofs[self->which];
    swin2sr_status status = has_file(&kept->record, self->which) ? SWIN2SR_OK : SWIN2SR_IO;
    if (status == SWIN2SR_OK && !proof->fetch)
        status = fetch(kept, self->which);
    if (status != SWIN2SR_OK) {
        self->on_open(self->context, status, -1);
        return;
    }
    self->job = kept;
    self->next = proof->waiters;
    proof->waiters = self;
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
            if (kept->owner->cluster)
                hand_out(proof, each);
            else
                backlog_read(kept, each);
        }
        fetch_close(proof);
        return;
    }
    proof->is_damaged = true;
    fetch_close(proof);
    kept_reads_refuse(kept, which, SWIN2SR_CORRUPT);
    if (kept->owner->cluster)
        backlog_note_damage(kept->owner, which == KEPT_INPUT ? KEPT_DAMAGED_INPUT : KEPT_DAMAGED_RESULT,
                            kept->record.id, false);
    else if (kept->phase == KEPT_ACCEPTED && record_has_result(&kept->record))
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
    if (kept->owner->cluster) {
        read_shared(kept, self);
        return;
    }
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
