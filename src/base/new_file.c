/* SPDX-License-Identifier: Apache-2.0
 * base/new_file.c - temporary file, flush, rename, and substitutes for calls that a file system lacks. */
#include "base/new_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define ATTEMPTS 10
#define PERMISSIONS 0777

/* The errors of a call that the file system does not support. */
static bool is_unsupported(int error) {
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

/* The length of the path up to and including its last slash. */
static int folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash + 1 - path) : 0;
}

/* Lock a new temporary file. false: a sweep was faster and has removed it. */
static bool is_kept(int fd) {
    struct stat info;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(fd, &info) != 0 || info.st_nlink > 0;
}

/* mode gives others no access to what replaces a file; its final mode is set afterwards. */
static swin2sr_status open_temporary(swin2sr__new_file *file, mode_t mode, swin2sr_error *reterr) {
    for (int i = 0; i < ATTEMPTS && file->fd < 0; i++) {
        uint32_t number;
        if (getrandom(&number, sizeof(number), 0) < 0)
            number = (uint32_t)getpid() + (uint32_t)i; /* any number will do, because O_EXCL refuses one in use */
        free(file->temporary);
        if (asprintf(&file->temporary, "%.*s.swin2sr-%08x", folder_length(file->path), file->path, number) < 0) {
            file->temporary = NULL;
            return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
        }
        file->fd = open(file->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (file->fd < 0 && errno != EEXIST)
            break;
        if (file->fd >= 0 && !is_kept(file->fd)) {
            close(file->fd);
            file->fd = -1;
        }
    }
    if (file->fd >= 0)
        return SWIN2SR_OK;
    free(file->temporary);
    return swin2sr__error_set_errno(reterr, file->path);
}

swin2sr_status swin2sr__new_file_open(const char *path, const char *refusal, swin2sr__new_file *ret_file,
                                      swin2sr_error *reterr) {
    swin2sr__new_file file = {.path = path, .refusal = refusal, .fd = -1};
    struct stat old;
    if (refusal && lstat(path, &old) == 0)
        return swin2sr__error_set_path(reterr, SWIN2SR_IO, path, "%s", refusal);
    bool is_replaced = stat(path, &old) == 0;
    if (!is_replaced && errno == ENAMETOOLONG) /* which rename would report only after the work */
        return swin2sr__error_set_errno(reterr, path);
    if (is_replaced && !S_ISREG(old.st_mode))
        return swin2sr__error_set_path(reterr, SWIN2SR_IO, path, "something other than a file is there");
    swin2sr_status status = open_temporary(&file, is_replaced ? old.st_mode & S_IRWXU : 0666, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (is_replaced)
        fchmod(file.fd, old.st_mode & PERMISSIONS); /* may fail: some file systems have no modes */
    *ret_file = file;
    return SWIN2SR_OK;
}

/* Fails with EEXIST if `to` exists. Without RENAME_NOREPLACE and links, an empty file reserves the name first. */
static int rename_to_new(const char *from, const char *to) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (!is_unsupported(errno) && errno != EPERM)
        return -1;
    if (link(from, to) == 0)
        return unlink(from);
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    close(fd);
    if (rename(from, to) == 0)
        return 0;
    int error = errno;
    unlink(to);
    errno = error;
    return -1;
}

/* So that the new name survives a power failure. */
static void sync_folder(const char *path) {
    char *folder = strndup(folder_length(path) ? path : ".", folder_length(path) ? (size_t)folder_length(path) : 1);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    if (fd < 0)
        return;
    fsync(fd); /* may fail: the file itself is on disk already */
    close(fd);
}

static bool is_temporary(const char *name) {
    size_t prefix = strlen(".swin2sr-");
    return strncmp(name, ".swin2sr-", prefix) == 0 && strspn(name + prefix, "0123456789abcdef") == 8 &&
           !name[prefix + 8];
}

void swin2sr__new_file_sweep(const char *folder) {
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!is_temporary(entry->d_name))
            continue;
        int fd = openat(dirfd(entries), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat info;
        if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (entries)
        closedir(entries);
}

int swin2sr__new_file_flush(int fd) {
    return fsync(fd) != 0 && !is_unsupported(errno) ? -1 : 0;
}

swin2sr_status swin2sr__new_file_commit(swin2sr__new_file *file, swin2sr_error *reterr) {
    if (swin2sr__new_file_flush(file->fd) != 0)
        return swin2sr__error_set_errno(reterr, file->path);
    int closed = close(file->fd);
    file->fd = -1;
    if (closed != 0 && errno != EINTR && !is_unsupported(errno)) /* without fsync, close reports a full disk */
        return swin2sr__error_set_errno(reterr, file->path);
    int moved = file->refusal ? rename_to_new(file->temporary, file->path) : rename(file->temporary, file->path);
    if (moved != 0 && file->refusal && errno == EEXIST)
        return swin2sr__error_set_path(reterr, SWIN2SR_IO, file->path, "%s", file->refusal);
    if (moved != 0)
        return swin2sr__error_set_errno(reterr, file->path);
    free(file->temporary);
    file->temporary = NULL;
    sync_folder(file->path);
    return SWIN2SR_OK;
}

void swin2sr__new_file_done(swin2sr__new_file *file) {
    if (file->fd >= 0)
        close(file->fd);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    *file = (swin2sr__new_file){.fd = -1};
}
