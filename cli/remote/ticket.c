/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/ticket.c - one small file for each image under way: "UPLOAD JOB\n", with - for none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "command/interrupt.h"
#include "command/output.h"
#include "command/report.h"
#include "ticket.h"

#define LOCK_PAUSE_NS 100000000L

/* false: the environment names no folder, or it cannot be made. */
static bool find_folder(char path[4096]) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    bool has_state = state && state[0] == '/';
    int length = snprintf(path, 4096, "%s%s/swin2sr/remote",
                          has_state ? state
                          : home    ? home
                                    : "",
                          has_state ? "" : "/.local/state");
    if ((!has_state && !(home && home[0] == '/')) || length >= 4000)
        return false;
    return output_make_folder(path, NULL) == SWIN2SR_OK;
}

static bool find_path(const char *name, char path[4096]) {
    if (!find_folder(path))
        return false;
    size_t length = strlen(path);
    return snprintf(path + length, 4096 - length, "/%.64s", name) > 0;
}

/* Does path still name the file behind fd? Another program may have removed it before fd was locked. */
static bool is_current(int fd, const char *path) {
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/* Polls, because a signal that arrives just before a blocking call would not interrupt it. */
static swin2sr_status lock_wait(int fd, bool is_quiet, swin2sr_error *reterr) {
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    for (bool was_told = is_quiet; flock(fd, LOCK_EX | LOCK_NB) != 0; was_told = true) {
        if (errno != EWOULDBLOCK && errno != EINTR) /* no locks on this file system */
            break;
        if (interrupt_signal())
            return swin2sr__error_set(reterr, SWIN2SR_CANCELLED, "interrupted");
        if (!was_told)
            report_note(NULL, "another swin2sr is having this image enlarged; waiting until it ends");
        nanosleep(&pause, NULL);
    }
    return SWIN2SR_OK;
}

static void take_id(const char *word, char ret_id[ADDRESS_ID_BYTES]) {
    if (strcmp(word, "-") != 0)
        address_take_id(word, ret_id);
}

static void read_ids(ticket *self) {
    char text[2 * ADDRESS_ID_BYTES + 2], upload[ADDRESS_ID_BYTES], job[ADDRESS_ID_BYTES];
    ssize_t length = pread(self->fd, text, sizeof(text) - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    if (sscanf(text, "%64s %64s", upload, job) == 2 && strchr(text, '\n')) {
        take_id(upload, self->upload);
        take_id(job, self->job);
    }
}

swin2sr_status ticket_open(const char *name, bool is_quiet, ticket *ret_ticket, swin2sr_error *reterr) {
    ticket found = {.fd = -1};
    swin2sr_status status = SWIN2SR_OK;
    while (status == SWIN2SR_OK && find_path(name, found.path)) {
        found.fd = open(found.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (found.fd < 0)
            break;
        status = lock_wait(found.fd, is_quiet, reterr);
        if (status == SWIN2SR_OK && is_current(found.fd, found.path))
            break;
        close(found.fd);
        found.fd = -1;
    }
    if (status != SWIN2SR_OK)
        return status;
    if (found.fd >= 0)
        read_ids(&found);
    *ret_ticket = found;
    return SWIN2SR_OK;
}

/* true: a name that image.c makes, and so nobody else's file. */
static bool is_ticket_name(const char *name) {
    return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* Remove a ticket that is old and that no program has locked. */
static void sweep_one(int folder, const char *name, time_t oldest) {
    struct stat opened, named;
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) &&
        opened.st_mtime < oldest && fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        named.st_ino == opened.st_ino)
        unlinkat(folder, name, 0);
    close(fd);
}

void tickets_sweep(void) {
    char path[4096];
    DIR *folder = find_folder(path) ? opendir(path) : NULL;
    if (!folder)
        return;
    time_t oldest = time(NULL) - (time_t)TICKET_DAYS * 86400;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        struct stat info;
        if (is_ticket_name(entry->d_name) && fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            info.st_mtime < oldest)
            sweep_one(dirfd(folder), entry->d_name, oldest);
    }
    closedir(folder);
}

void ticket_write(const ticket *self) {
    char text[2 * ADDRESS_ID_BYTES + 2];
    int length =
        snprintf(text, sizeof(text), "%s %s\n", self->upload[0] ? self->upload : "-", self->job[0] ? self->job : "-");
    if (self->fd < 0 || ftruncate(self->fd, 0) != 0 || pwrite(self->fd, text, (size_t)length, 0) != length)
        return; /* a later run begins anew */
}

void ticket_close(ticket *self) {
    if (self->fd < 0)
        return;
    if (!self->upload[0] && !self->job[0])
        unlink(self->path);
    close(self->fd);
    self->fd = -1;
}
