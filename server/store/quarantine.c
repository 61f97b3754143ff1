/* SPDX-License-Identifier: Apache-2.0
 * store/quarantine.c - damaged files, which nobody uses any more and an operator may want to see.
 * In: a file of the data folder.  Out: the same file in quarantine/, where the oldest files go first.
 * Moves are not flushed: after a power cut the file may be in its old place, and is found damaged again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/limits.h"
#include "store/data.h"

#define FOLDER "quarantine"

static int open_folder(const data_folder *self) {
    if (mkdirat(self->lock, FOLDER, 0750) != 0 && errno != EEXIST)
        return -1;
    return openat(self->lock, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool is_older(const struct timespec *one, const struct timespec *other) {
    return one->tv_sec < other->tv_sec || (one->tv_sec == other->tv_sec && one->tv_nsec < other->tv_nsec);
}

/* Remove the file that came first, if there are too many or they are too large together.  false: there are not. */
static bool remove_oldest(int folder) {
    struct dirent **names;
    size_t count, files = 0, oldest = 0;
    uint64_t bytes = 0;
    struct timespec oldest_time = {.tv_sec = 0};
    if (data_list(folder, &names, &count) != SWIN2SR_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct stat info;
        if (fstatat(folder, names[i]->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
            continue;
        if (files++ == 0 || is_older(&info.st_ctim, &oldest_time)) { /* its status changed when it was moved */
            oldest = i;
            oldest_time = info.st_ctim;
        }
        bytes += (uint64_t)info.st_size;
    }
    bool is_full = files > LIMIT_QUARANTINE_FILES || bytes > LIMIT_QUARANTINE_BYTES;
    is_full = is_full && unlinkat(folder, names[oldest]->d_name, 0) == 0;
    data_names_free(names, count);
    return is_full;
}

bool data_quarantine(const data_folder *self, int folder, const char *name) {
    int target = open_folder(self);
    if (target < 0)
        return false;
    bool is_moved = renameat(folder, name, target, name) == 0;
    while (remove_oldest(target))
        ;
    close(target);
    return is_moved;
}

bool data_is_quarantined(const data_folder *self, const char *name) {
    char path[NAME_MAX + sizeof FOLDER + 2];
    int length = snprintf(path, sizeof path, FOLDER "/%s", name);
    return length > 0 && (size_t)length < sizeof path && faccessat(self->lock, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
