/* SPDX-License-Identifier: Apache-2.0
 * cli/key/file.c - lock, read and replace the keys file.
 * The file itself is locked. Because it is replaced and not rewritten, whoever gets the lock checks that the name still
 * means the locked file, and else starts over. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/new_file.h"
#include "command/report.h"

const cli_option key_file_options[] = {
    {"keys", "FILE", "the keys file (default: SWIN2SR_KEYS in the environment)", .field = offsetof(key_options, path)},
    {0},
};

bool key_file_name(const char **path) {
    if (!*path)
        *path = getenv("SWIN2SR_KEYS");
    if (*path && **path)
        return true;
    report_error(NULL, "no keys file: give --keys FILE, or set SWIN2SR_KEYS");
    return false;
}

static bool is_current(int fd, const char *path) {
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static swin2sr_status lock(const char *path, int *ret_fd, swin2sr_error *reterr) {
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            return swin2sr__error_set_errno(reterr, path);
        bool is_locked = flock(fd, LOCK_EX) == 0;
        int error = is_locked ? EINTR : errno;
        if (is_locked && is_current(fd, path)) {
            *ret_fd = fd;
            return SWIN2SR_OK;
        }
        close(fd);
        errno = error;
        if (error != EINTR)
            return swin2sr__error_set_errno(reterr, path);
    }
}

swin2sr_status key_file_open(const char *path, key_file *ret_file, swin2sr_error *reterr) {
    key_file file = {.path = path, .fd = -1};
    swin2sr_status status = lock(path, &file.fd, reterr);
    if (status == SWIN2SR_OK)
        status = key_list_read(path, &file.list, reterr);
    if (status == SWIN2SR_OK)
        *ret_file = file;
    else
        key_file_done(&file);
    return status;
}

/* The mode is kept by base/new_file. The owner is kept where the system permits it, so that a server with a user of its
 * own can still read what root has written. */
static swin2sr_status write_text(const key_file *file, const char *text, swin2sr_error *reterr) {
    swin2sr__new_file whole;
    struct stat old;
    size_t size = strlen(text);
    swin2sr_status status = swin2sr__new_file_open(file->path, NULL, &whole, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (fstat(file->fd, &old) != 0 || fchown(whole.fd, old.st_uid, old.st_gid) != 0)
        errno = 0; /* not root: the new file has the owner that new files of this user have */
    if (write(whole.fd, text, size) == (ssize_t)size)
        status = swin2sr__new_file_commit(&whole, reterr);
    else
        status = swin2sr__error_set_errno(reterr, file->path);
    swin2sr__new_file_done(&whole);
    return status;
}

swin2sr_status key_file_write(const key_file *file, swin2sr_error *reterr) {
    char *text = key_list_text(&file->list);
    swin2sr_status status =
        text ? write_text(file, text, reterr) : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    free(text);
    return status;
}

void key_file_done(key_file *file) {
    key_list_done(&file->list);
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
