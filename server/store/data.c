/* SPDX-License-Identifier: Apache-2.0
 * store/data.c - the folder of --data, whose files outlive the server.
 * In: bytes and names.  Out: files that are whole and on the disk.
 * The order is always: flush the file, give it its name, flush the folder. */
#include "store/data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/write.h"

#define TEMPORARY ".part-" /* prefix of a file that has not got its name yet */

static swin2sr_status copy_all(int from, int to) {
    char bytes[65536];
    off_t at = 0;
    for (;;) {
        ssize_t size = pread(from, bytes, sizeof bytes, at);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return size == 0 ? SWIN2SR_OK : SWIN2SR_IO;
        if (swin2sr__write_at(to, bytes, (size_t)size, (uint64_t)at) < (size_t)size)
            return SWIN2SR_IO;
        at += size;
    }
}

/* A new file beside the one of this name. Its own name is returned too. */
static int open_temporary(int folder, const char *name, char ret_temporary[NAME_MAX + 1]) {
    int length = snprintf(ret_temporary, NAME_MAX + 1, TEMPORARY "%s", name);
    if (length < 0 || length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return openat(folder, ret_temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/* Flush and close a temporary file, give it its name, flush the folder. status: of what was written to it. */
static swin2sr_status settle(int fd, int folder, const char *temporary, const char *name, unsigned int flags,
                             swin2sr_status status) {
    if (status == SWIN2SR_OK && fsync(fd) != 0)
        status = SWIN2SR_IO;
    int error = errno;
    close(fd);
    if (status == SWIN2SR_OK && renameat2(folder, temporary, folder, name, flags) != 0) {
        error = errno;
        status = error == EEXIST ? SWIN2SR_INVALID : SWIN2SR_IO;
    }
    if (status == SWIN2SR_OK)
        return fsync(folder) == 0 ? SWIN2SR_OK : SWIN2SR_IO;
    unlinkat(folder, temporary, 0);
    errno = error;
    return status;
}

swin2sr_status data_keep(int fd, int folder, const char *name) {
    char path[40], temporary[NAME_MAX + 1];
    if (fsync(fd) != 0)
        return SWIN2SR_IO;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW) == 0)
        return fsync(folder) == 0 ? SWIN2SR_OK : SWIN2SR_IO;
    if (errno == EEXIST)
        return SWIN2SR_INVALID;
    int copy = open_temporary(folder, name, temporary);
    return copy < 0 ? SWIN2SR_IO : settle(copy, folder, temporary, name, RENAME_NOREPLACE, copy_all(fd, copy));
}

swin2sr_status data_write(int folder, const char *name, const void *bytes, size_t size) {
    char temporary[NAME_MAX + 1];
    int fd = open_temporary(folder, name, temporary);
    return fd < 0 ? SWIN2SR_IO
                  : settle(fd, folder, temporary, name, 0,
                           swin2sr__write_at(fd, bytes, size, 0) == size ? SWIN2SR_OK : SWIN2SR_IO);
}

swin2sr_status data_read(int folder, const char *name, size_t max_bytes, char **ret_text, size_t *ret_size) {
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        if (fd >= 0)
            close(fd);
        return SWIN2SR_IO;
    }
    char *text = malloc(max_bytes + 2);
    size_t size = text ? fread(text, 1, max_bytes + 1, file) : 0;
    swin2sr_status status = !text              ? SWIN2SR_NOMEM
                            : ferror(file)     ? SWIN2SR_IO
                            : size > max_bytes ? SWIN2SR_TOO_LARGE
                                               : SWIN2SR_OK;
    fclose(file);
    if (status != SWIN2SR_OK) {
        free(text);
        return status;
    }
    text[size] = '\0';
    *ret_text = text;
    *ret_size = size;
    return SWIN2SR_OK;
}

swin2sr_status data_remove(int folder, const char *name) {
    return unlinkat(folder, name, 0) == 0 || errno == ENOENT ? SWIN2SR_OK : SWIN2SR_IO;
}

static int by_name(const struct dirent **one, const struct dirent **other) {
    return strcmp((*one)->d_name, (*other)->d_name);
}

swin2sr_status data_list(int folder, struct dirent ***ret_names, size_t *ret_count) {
    struct dirent **names;
    int count = scandirat(folder, ".", &names, NULL, by_name);
    if (count < 0)
        return errno == ENOMEM ? SWIN2SR_NOMEM : SWIN2SR_IO;
    *ret_names = names;
    *ret_count = (size_t)count;
    return SWIN2SR_OK;
}

void data_names_free(struct dirent **names, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

/* ---- opening ---- */

static int open_folder(const char *parent, const char *name, char ret_path[DATA_FOLDER_BYTES]) {
    int length = snprintf(ret_path, DATA_FOLDER_BYTES, "%s%s%s", parent, name[0] ? "/" : "", name);
    if (length < 0 || length >= DATA_FOLDER_BYTES) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdir(ret_path, 0750) != 0 && errno != EEXIST)
        return -1;
    return open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_temporaries(int folder) {
    struct dirent **names;
    size_t count;
    if (data_list(folder, &names, &count) != SWIN2SR_OK)
        return;
    for (size_t i = 0; i < count; i++)
        if (strncmp(names[i]->d_name, TEMPORARY, strlen(TEMPORARY)) == 0)
            unlinkat(folder, names[i]->d_name, 0);
    data_names_free(names, count);
}

swin2sr_status data_open(data_folder *self, const char *path, uint64_t reserve_bytes, swin2sr_error *reterr) {
    char sub[DATA_FOLDER_BYTES];
    *self = (data_folder){.lock = open_folder(path, "", sub)};
    if (self->lock >= 0 && flock(self->lock, LOCK_EX | LOCK_NB) != 0) {
        swin2sr_status status = errno == EWOULDBLOCK ? SWIN2SR_BUSY : SWIN2SR_IO;
        swin2sr__error_set(reterr, status, "%s: %s", path,
                           status == SWIN2SR_BUSY ? "another server uses this data folder" : strerror(errno));
        data_close(self);
        return status;
    }
    self->uploads = self->lock < 0 ? -1 : open_folder(path, "uploads", sub);
    self->outputs = self->uploads < 0 ? -1 : open_folder(path, "outputs", self->outputs_path);
    self->records = self->outputs < 0 ? -1 : open_folder(path, "outputs/.jobs", sub);
    if (self->records < 0 || faccessat(self->records, ".", W_OK, AT_EACCESS) != 0) {
        swin2sr__error_set(reterr, SWIN2SR_IO, "%s: %s", path, strerror(errno));
        data_close(self);
        return SWIN2SR_IO;
    }
    disk_space_init(&self->disk, self->outputs_path, reserve_bytes);
    remove_temporaries(self->uploads);
    remove_temporaries(self->outputs);
    remove_temporaries(self->records);
    return SWIN2SR_OK;
}

void data_close(data_folder *self) {
    const int fds[] = {self->records, self->outputs, self->uploads, self->lock};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] > 0)
            close(fds[i]);
    *self = (data_folder){.uploads = 0};
}
