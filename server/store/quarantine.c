/* SPDX-License-Identifier: Apache-2.0
 * store/quarantine.c - damaged files, which nobody uses any more and an operator may want to see.
 * In: a file of the data folder.  Out: the same file in quarantine/, where the oldest files go first. If it cannot be
 * moved there, because uploads/ and outputs/ are mounts of their own, it goes to .quarantine/ beside it.
 * Moves are not flushed: after a power cut the file may be in its old place, and is found damaged again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/limits.h"
#include "store/data.h"

#define FOLDER "quarantine"
#define BESIDE ".quarantine"

static int open_folder(int parent, const char *name) {
    if (mkdirat(parent, name, 0750) != 0 && errno != EEXIST)
        return -1;
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
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

static bool move(int folder, const char *name, int parent, const char *quarantine) {
    int target = open_folder(parent, quarantine);
    if (target < 0)
        return false;
    bool is_moved = renameat(folder, name, target, name) == 0;
    while (remove_oldest(target))
        ;
    close(target);
    return is_moved;
}

bool data_quarantine(const data_folder *self, int folder, const char *name) {
    return move(folder, name, self->lock, FOLDER) || move(folder, name, folder, BESIDE);
}

static bool has(int parent, const char *quarantine, const char *name) {
    char path[NAME_MAX + sizeof BESIDE + 2];
    int length = snprintf(path, sizeof path, "%s/%s", quarantine, name);
    return length > 0 && (size_t)length < sizeof path && faccessat(parent, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool data_is_quarantined(const data_folder *self, const char *name) {
    return has(self->lock, FOLDER, name) || has(self->records, BESIDE, name) || has(self->uploads, BESIDE, name) ||
           has(self->outputs, BESIDE, name);
}
