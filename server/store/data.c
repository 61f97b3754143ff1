/* SPDX-License-Identifier: Apache-2.0
 * store/data.c - the folder of --data, whose files outlive the server.
 * In: bytes and names.  Out: files that are whole and on the disk.
 * The order is always: flush the file, give it its name, flush the folder. */
#include "store/data.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/write.h"

#define SIGN ".server"     /* in the folder of records */
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
    struct stat info;
    int copy = open_temporary(folder, name, temporary);
    if (copy >= 0 && fstat(fd, &info) == 0)
        (void)fchmod(copy, info.st_mode & 0777);
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

/* mode: of a folder that is made. It may be in a container's root that cannot be written, and exist. */
static int open_folder(const char *parent, const char *name, mode_t mode, char ret_path[DATA_FOLDER_BYTES]) {
    int length = snprintf(ret_path, DATA_FOLDER_BYTES, "%s%s%s", parent, name[0] ? "/" : "", name);
    if (length < 0 || length >= DATA_FOLDER_BYTES) {
        ret_path[0] = '\0';
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdir(ret_path, mode) != 0 && errno != EEXIST)
        return -1;
    return open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The same for a folder that must be writable. If it is not, the detail says whose it is and what to do. */
static int open_writable(const char *parent, const char *name, mode_t mode, char ret_path[DATA_FOLDER_BYTES],
                         swin2sr_error *reterr) {
    int fd = open_folder(parent, name, mode, ret_path);
    if (fd >= 0 && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
        return fd;
    struct stat info;
    int error = errno;
    unsigned int uid = geteuid(), gid = getegid();
    if (error == EACCES && stat(ret_path, &info) == 0)
        swin2sr__error_set_path(
            reterr, SWIN2SR_IO, ret_path,
            "cannot be written: it belongs to %u:%u, and the server runs as %u:%u; chown it to %u:%u", info.st_uid,
            info.st_gid, uid, gid, uid, gid);
    else
        swin2sr__error_set_path(reterr, SWIN2SR_IO, ret_path, "cannot be written: %s", strerror(error));
    if (fd >= 0)
        close(fd);
    return -1;
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

/* The file that says which server has locked the folder, for the messages of others. */
static void write_sign(int folder, const char *node) {
    char host[HOST_NAME_MAX + 1] = "", text[HOST_NAME_MAX + 128];
    (void)gethostname(host, sizeof host - 1);
    int length = snprintf(text, sizeof text, "node %s, process %d on %s\n", node, (int)getpid(), host);
    int fd = openat(folder, SIGN, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return;
    (void)swin2sr__write_at(fd, text, (size_t)length, 0);
    close(fd);
}

/* sign: the path of SIGN from the folder. */
static swin2sr_status lock(int folder, const char *path, const char *sign, swin2sr_error *reterr) {
    char *text = NULL;
    size_t size;
    if (flock(folder, LOCK_EX | LOCK_NB) == 0)
        return SWIN2SR_OK;
    if (errno != EWOULDBLOCK)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%s: %s", path, strerror(errno));
    if (data_read(folder, sign, 1024, &text, &size) == SWIN2SR_OK)
        text[strcspn(text, "\n")] = '\0';
    swin2sr_status status = swin2sr__error_set(reterr, SWIN2SR_BUSY,
                                               "%s: another server uses this data folder: %s; give each server its "
                                               "own, and --cluster for jobs that they share",
                                               path, text ? text : "it has left no name");
    free(text);
    return status;
}

/* In containers, the folder is each container's own, and only what is mounted at outputs/ is shared. */
static swin2sr_status open_folders(data_folder *self, const char *path, const char *node, swin2sr_error *reterr) {
    char sub[DATA_FOLDER_BYTES];
    self->lock = open_folder(path, "", 0750, sub);
    if (self->lock < 0)
        return swin2sr__error_set_errno(reterr, path);
    swin2sr_status status = lock(self->lock, path, "outputs/.jobs/" SIGN, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->uploads = open_writable(path, "uploads", 0750, sub, reterr);
    self->outputs = self->uploads < 0 ? -1 : open_writable(path, "outputs", 0755, self->outputs_path, reterr);
    if (self->outputs < 0)
        return SWIN2SR_IO;
    status = lock(self->outputs, self->outputs_path, ".jobs/" SIGN, reterr);
    self->records = status != SWIN2SR_OK ? -1 : open_writable(path, "outputs/.jobs", 0750, sub, reterr);
    if (self->records >= 0)
        write_sign(self->records, node);
    return status == SWIN2SR_OK && self->records < 0 ? SWIN2SR_IO : status;
}

swin2sr_status data_open(data_folder *self, const char *path, const char *node, uint64_t reserve_bytes,
                         swin2sr_error *reterr) {
    *self = (data_folder){.uploads = 0};
    swin2sr_status status = open_folders(self, path, node, reterr);
    if (status != SWIN2SR_OK) {
        data_close(self);
        return status;
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
