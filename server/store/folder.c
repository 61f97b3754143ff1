/* SPDX-License-Identifier: Apache-2.0
 * store/folder.c - the store that keeps its files unnamed in a folder.
 * In: bytes, in pieces of at most one network read.  Out: descriptors.
 * Writes go to the page cache and are the only file writes on the loop's thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cgroup.h"
#include "base/write.h"
#include "config/limits.h"
#include "store/store.h"

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

int store_open_unnamed(const char *folder) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    bool has_none = fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL);
    return has_none ? open_and_unlink(folder) : fd;
}

static swin2sr_status create(store *self, store_file *ret_file) {
    int fd = store_open_unnamed(self->folder);
    if (fd < 0)
        return SWIN2SR_IO;
    *ret_file = (store_file){.owner = self, .fd = fd};
    return SWIN2SR_OK;
}

static swin2sr_status append(store_file *file, const void *data, size_t size) {
    if (file->owner->used_bytes + size > file->owner->budget_bytes)
        return SWIN2SR_BUSY;
    if (file->share && file->share->bytes + size > file->owner->budget_bytes / LIMIT_SPOOL_SHARE)
        return SWIN2SR_TOO_LARGE;
    if (!disk_space_has(&file->owner->disk, size))
        return SWIN2SR_IO;
    size_t written = swin2sr__write_at(file->fd, data, size, file->bytes);
    file->bytes += written;
    file->owner->used_bytes += written;
    if (file->share)
        file->share->bytes += written;
    return written == size ? SWIN2SR_OK : SWIN2SR_IO;
}

static void commit(store_file *file, store_done on_done, void *context) {
    struct stat info;
    swin2sr_status status = fstat(file->fd, &info) == 0 ? SWIN2SR_OK : SWIN2SR_IO;
    if (status == SWIN2SR_OK) {
        file->owner->used_bytes += (uint64_t)info.st_size - file->bytes;
        file->bytes = (uint64_t)info.st_size;
    }
    on_done(context, status);
}

static int open_again(const store_file *file, int flags) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file->fd);
    return open(path, flags | O_CLOEXEC);
}

static void forget(store_file *file) {
    store_share_leave(file);
    close(file->fd);
    file->owner->used_bytes -= file->bytes;
}

static uint64_t budget_of(const char *folder) {
    struct statfs info;
    bool is_memory = statfs(folder, &info) == 0 && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
    uint64_t share = swin2sr__cgroup_memory_bytes("") / 4;
    return is_memory && share < LIMIT_SPOOL_BYTES ? share : LIMIT_SPOOL_BYTES;
}

swin2sr_status store_use_folder(store *self, const char *folder, uint64_t reserve_bytes) {
    *self = (store){.create = create,
                    .append = append,
                    .commit = commit,
                    .open = open_again,
                    .remove = forget,
                    .folder = folder,
                    .budget_bytes = budget_of(folder)};
    disk_space_init(&self->disk, folder, reserve_bytes);
    return store_is_working(self) ? SWIN2SR_OK : SWIN2SR_IO;
}
