/* SPDX-License-Identifier: Apache-2.0
 * store/objects_folder.c - a shared store in a folder that all servers have mounted.
 * In: bytes and keys.  Out: files. A new file is written under a name of its server's own, flushed, and linked to its
 * key, which the file system does for one of several servers only, on NFS too. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/write.h"
#include "store/data.h"
#include "store/objects.h"

#define TEMPORARY ".part-" /* prefix of a file that has not got its name yet */
#define ABANDONED_S 86400  /* the age at which such a file is removed */

static const char *const folders[] = {OBJECT_INPUTS, OBJECT_RESULTS, OBJECT_OPEN,    OBJECT_ENDED,
                                      OBJECT_KEYS,   OBJECT_NODES,   OBJECT_WEBHOOKS};
#define FOLDER_COUNT (sizeof folders / sizeof folders[0])

typedef struct objects_folder {
    object_store store; /* the first field */
    int fds[FOLDER_COUNT];
    atomic_uint_least64_t next; /* number of an unfinished file */
    char owner[64];
} objects_folder;

/* The folder of a key, and its name there.  -1: there is no such folder. */
static int split(const object_store *store, const char *key, const char **ret_name) {
    const objects_folder *self = (const objects_folder *)store;
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        size_t length = strlen(folders[i]);
        if (strncmp(key, folders[i], length) != 0)
            continue;
        *ret_name = key + length;
        return self->fds[i];
    }
    return -1;
}

/* ---- writing ---- */

static int open_temporary(object_store *store, int folder, char ret_name[NAME_MAX + 1]) {
    objects_folder *self = (objects_folder *)store;
    snprintf(ret_name, NAME_MAX + 1, TEMPORARY "%s-%llu", self->owner,
             (unsigned long long)atomic_fetch_add(&self->next, 1));
    return openat(folder, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/* Flush and close a temporary file, and give it its name. is_written: of its bytes. */
static object_result settle(int fd, int folder, const char *temporary, const char *name, bool is_written, bool is_new) {
    object_result result = is_written && fsync(fd) == 0 ? OBJECT_OK : OBJECT_FAILED;
    close(fd);
    if (result == OBJECT_OK && is_new && linkat(folder, temporary, folder, name, 0) != 0)
        result = errno == EEXIST ? OBJECT_EXISTS : OBJECT_FAILED;
    if (result == OBJECT_OK && !is_new && renameat(folder, temporary, folder, name) != 0)
        result = OBJECT_FAILED;
    if (result != OBJECT_OK || is_new)
        unlinkat(folder, temporary, 0);
    return result == OBJECT_OK && fsync(folder) != 0 ? OBJECT_FAILED : result;
}

static bool copy_all(int from, int to, uint64_t size) {
    char bytes[65536];
    for (uint64_t at = 0; at < size;) {
        size_t wanted = size - at < sizeof bytes ? (size_t)(size - at) : sizeof bytes;
        ssize_t count = pread(from, bytes, wanted, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 || swin2sr__write_at(to, bytes, (size_t)count, at) < (size_t)count)
            return false;
        at += (uint64_t)count;
    }
    return true;
}

static object_result create(object_store *self, const char *key, int fd, uint64_t size) {
    char temporary[NAME_MAX + 1];
    const char *name;
    int folder = split(self, key, &name), copy = folder < 0 ? -1 : open_temporary(self, folder, temporary);
    if (copy < 0)
        return OBJECT_FAILED;
    (void)fchmod(copy, 0644);
    return settle(copy, folder, temporary, name, copy_all(fd, copy, size), true);
}

static object_result write_small(object_store *self, const char *key, const void *bytes, size_t size, bool is_new) {
    char temporary[NAME_MAX + 1];
    const char *name;
    int folder = split(self, key, &name), fd = folder < 0 ? -1 : open_temporary(self, folder, temporary);
    if (fd < 0)
        return OBJECT_FAILED;
    return settle(fd, folder, temporary, name, swin2sr__write_at(fd, bytes, size, 0) == size, is_new);
}

/* ---- reading ---- */

static object_result read_small(object_store *self, const char *key, size_t max_bytes, char **ret_text,
                                size_t *ret_size) {
    const char *name;
    int folder = split(self, key, &name);
    errno = 0;
    swin2sr_status status = folder < 0 ? SWIN2SR_IO : data_read(folder, name, max_bytes, ret_text, ret_size);
    if (status == SWIN2SR_OK || status == SWIN2SR_TOO_LARGE)
        return status == SWIN2SR_OK ? OBJECT_OK : OBJECT_DAMAGED;
    return errno == ENOENT ? OBJECT_MISSING : OBJECT_FAILED;
}

static object_result open_object(object_store *self, const char *key, uint64_t size, int *ret_fd) {
    const char *name;
    int folder = split(self, key, &name);
    int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;
    if (fd < 0)
        return folder >= 0 && errno == ENOENT ? OBJECT_MISSING : OBJECT_FAILED;
    if (fstat(fd, &info) != 0 || (uint64_t)info.st_size != size) {
        close(fd);
        return OBJECT_FAILED;
    }
    *ret_fd = fd;
    return OBJECT_OK;
}

static object_result remove_object(object_store *self, const char *key) {
    const char *name;
    int folder = split(self, key, &name);
    return folder >= 0 && data_remove(folder, name) == SWIN2SR_OK ? OBJECT_OK : OBJECT_FAILED;
}

static object_result list(object_store *self, const char *start,
                          bool (*on_object)(void *context, const char *name, const char *tag), void *context) {
    const char *prefix;
    struct dirent **names;
    size_t count;
    int folder = split(self, start, &prefix);
    if (folder < 0 || data_list(folder, &names, &count) != SWIN2SR_OK)
        return OBJECT_FAILED;
    bool is_wanted = true;
    for (size_t i = 0; i < count && is_wanted; i++) {
        const char *name = names[i]->d_name;
        struct stat info;
        char tag[OBJECT_TAG_BYTES];
        if (name[0] == '.' || strncmp(name, prefix, strlen(prefix)) != 0 ||
            fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        snprintf(tag, sizeof tag, "%lld.%09ld-%llu", (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                 (unsigned long long)info.st_ino);
        is_wanted = on_object(context, name, tag);
    }
    data_names_free(names, count);
    return OBJECT_OK;
}

/* ---- opening ---- */

static void close_folder(object_store *store) {
    objects_folder *self = (objects_folder *)store;
    for (size_t i = 0; i < FOLDER_COUNT; i++)
        if (self->fds[i] >= 0)
            close(self->fds[i]);
    free(self);
}

/* Remove the unfinished files of servers that are gone. */
static void remove_abandoned(int folder) {
    struct dirent **names;
    size_t count;
    if (data_list(folder, &names, &count) != SWIN2SR_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        struct stat info;
        if (strncmp(names[i]->d_name, TEMPORARY, strlen(TEMPORARY)) == 0 &&
            fstatat(folder, names[i]->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            info.st_mtim.tv_sec < time(NULL) - ABANDONED_S)
            unlinkat(folder, names[i]->d_name, 0);
    }
    data_names_free(names, count);
}

/* -1, with errno set: it cannot be made, or not written. */
static int open_writable(int parent, const char *key) {
    char name[OBJECT_KEY_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)strlen(key) - 1, key);
    if (mkdirat(parent, name, 0750) != 0 && errno != EEXIST)
        return -1;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
        return fd;
    close(fd);
    errno = EACCES;
    return -1;
}

swin2sr_status objects_open_folder(const char *path, const char *owner, object_store **ret_store,
                                   swin2sr_error *reterr) {
    objects_folder *self = calloc(1, sizeof *self);
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    self->store =
        (object_store){create, write_small, read_small, open_object, remove_object, list, NULL, NULL, close_folder};
    snprintf(self->owner, sizeof self->owner, "%s", owner);
    bool is_good = mkdir(path, 0750) == 0 || errno == EEXIST;
    int parent = is_good ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    is_good = parent >= 0;
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        self->fds[i] = is_good ? open_writable(parent, folders[i]) : -1;
        is_good &= self->fds[i] >= 0;
    }
    swin2sr_status status = is_good ? SWIN2SR_OK : swin2sr__error_set_errno(reterr, path);
    if (parent >= 0)
        close(parent);
    for (size_t i = 0; is_good && i < FOLDER_COUNT; i++)
        remove_abandoned(self->fds[i]);
    if (is_good)
        *ret_store = &self->store;
    else
        close_folder(&self->store);
    return status;
}
