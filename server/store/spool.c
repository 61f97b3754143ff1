/* SPDX-License-Identifier: Apache-2.0
 * store/spool.c - unnamed files in the spool folder.
 * In: bytes, in pieces of at most one network read.  Out: descriptors.
 * Writes go to the page cache and are the only file writes on the loop's thread. */
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "config/limits.h"

/* For file systems without O_TMPFILE: a name that exists for a moment only. */
static int open_and_unlink(const char *folder) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/swin2sr-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path)
        return -1;
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

swin2sr_status spool_fd(const spool_folder *self, int *ret_fd) {
    int fd = open(self->folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        fd = open_and_unlink(self->folder);
    if (fd < 0)
        return SWIN2SR_IO;
    *ret_fd = fd;
    return SWIN2SR_OK;
}

swin2sr_status spool_open(spool_folder *self, spool_file *ret_file) {
    int fd;
    swin2sr_status status = spool_fd(self, &fd);
    if (status == SWIN2SR_OK)
        *ret_file = (spool_file){.owner = self, .fd = fd};
    return status;
}

swin2sr_status spool_append(spool_file *file, const void *data, size_t size) {
    if (size > LIMIT_SPOOL_BYTES - file->owner->used_bytes)
        return SWIN2SR_BUSY;
    const char *bytes = data;
    while (size > 0) {
        ssize_t written = pwrite(file->fd, bytes, size, (off_t)file->bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return SWIN2SR_IO;
        bytes += written;
        size -= (size_t)written;
        file->bytes += (uint64_t)written;
        file->owner->used_bytes += (uint64_t)written;
    }
    return SWIN2SR_OK;
}

void spool_close(spool_file *file) {
    if (file->fd < 0)
        return;
    close(file->fd);
    file->fd = -1;
    file->owner->used_bytes -= file->bytes;
}

int spool_reopen(int fd, int flags) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, flags | O_CLOEXEC);
}
