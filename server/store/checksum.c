/* SPDX-License-Identifier: Apache-2.0
 * store/checksum.c - SHA-256 of a file on the disk.
 * In: a descriptor and the size that the file should have.  Out: hex digits, or that it cannot be read in this size. */
#include "store/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"

#define SLICE_BYTES (8u << 20)
#define PIECE_BYTES 65536u

struct checksum {
    io_task task; /* the first field */
    io_thread *io;
    int fd;
    uint64_t size, at;
    swin2sr__digest digest;
    swin2sr_status status;
    checksum_done on_done; /* NULL: it was cancelled */
    void *context;
    checksum **slot;
};

/* Add the bytes from *at to end.  errors _IO. */
static swin2sr_status add_bytes(swin2sr__digest *digest, int fd, uint64_t *at, uint64_t end) {
    unsigned char bytes[PIECE_BYTES];
    while (*at < end) {
        size_t wanted = end - *at < sizeof bytes ? (size_t)(end - *at) : sizeof bytes;
        ssize_t size = pread(fd, bytes, wanted, (off_t)*at);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return SWIN2SR_IO;
        swin2sr__digest_add(digest, bytes, (size_t)size);
        *at += (uint64_t)size;
    }
    return SWIN2SR_OK;
}

static bool has_size(int fd, uint64_t size) {
    struct stat info;
    return fstat(fd, &info) == 0 && (uint64_t)info.st_size == size;
}

static void write_hex(swin2sr__digest *digest, char ret_sha256[CHECKSUM_HEX_BYTES]) {
    unsigned char bytes[SWIN2SR__DIGEST_MAX_BYTES];
    swin2sr__digest_end(digest, bytes);
    swin2sr__hex(bytes, sizeof bytes, ret_sha256);
}

swin2sr_status checksum_of(int fd, uint64_t size, char ret_sha256[CHECKSUM_HEX_BYTES]) {
    swin2sr__digest digest = swin2sr__sha256_begin();
    uint64_t at = 0;
    if (!has_size(fd, size) || add_bytes(&digest, fd, &at, size) != SWIN2SR_OK)
        return SWIN2SR_IO;
    write_hex(&digest, ret_sha256);
    return SWIN2SR_OK;
}

/* On the I/O thread. */
static void add_slice(io_task *task) {
    checksum *self = (checksum *)task;
    uint64_t end = self->size - self->at < SLICE_BYTES ? self->size : self->at + SLICE_BYTES;
    self->status = has_size(self->fd, self->size) ? add_bytes(&self->digest, self->fd, &self->at, end) : SWIN2SR_IO;
}

static void on_slice(io_task *task) {
    checksum *self = (checksum *)task;
    char sha256[CHECKSUM_HEX_BYTES] = "";
    if (self->on_done && self->status == SWIN2SR_OK && self->at < self->size) {
        io_submit(self->io, &self->task);
        return;
    }
    checksum_done on_done = self->on_done;
    void *context = self->context;
    swin2sr_status status = self->status;
    write_hex(&self->digest, sha256);
    if (self->slot)
        *self->slot = NULL;
    close(self->fd);
    free(self);
    if (on_done)
        on_done(context, status, sha256);
}

swin2sr_status checksum_start(io_thread *io, int fd, uint64_t size, checksum_done on_done, void *context,
                              checksum **slot) {
    checksum *self = malloc(sizeof *self);
    if (!self)
        return SWIN2SR_NOMEM;
    *self = (checksum){.task = {.work = add_slice, .done = on_slice},
                       .io = io,
                       .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
                       .size = size,
                       .digest = swin2sr__sha256_begin(),
                       .on_done = on_done,
                       .context = context,
                       .slot = slot};
    if (self->fd < 0) {
        swin2sr_status status = io_is_short(errno) ? SWIN2SR_NOMEM : SWIN2SR_IO;
        free(self);
        return status;
    }
    *slot = self;
    io_submit(io, &self->task);
    return SWIN2SR_OK;
}

void checksum_cancel(checksum **slot) {
    checksum *self = *slot;
    *slot = NULL;
    if (!self)
        return;
    self->on_done = NULL;
    self->slot = NULL;
}
