/* SPDX-License-Identifier: Apache-2.0
 * store/space.c - the free space of a disk (stages 1 request and 2 admit).
 * In: a folder.  Out: bytes, as this user may use them. Read anew for every question: the answer is in memory, and
 * other programs write to the disk too. */
#include "store/space.h"

#include <stddef.h>
#include <sys/statvfs.h>

#include "config/limits.h"

static bool read_space(const disk_space *self, struct statvfs *ret_info) {
    return self->folder && statvfs(self->folder, ret_info) == 0 && ret_info->f_blocks > 0;
}

uint64_t disk_space_free(const disk_space *self) {
    struct statvfs info;
    return read_space(self, &info) ? (uint64_t)info.f_bavail * info.f_frsize : UINT64_MAX;
}

uint64_t disk_space_size(const disk_space *self) {
    struct statvfs info;
    return read_space(self, &info) ? (uint64_t)info.f_blocks * info.f_frsize : UINT64_MAX;
}

void disk_space_init(disk_space *self, const char *folder, uint64_t reserve_bytes) {
    *self = (disk_space){.folder = folder};
    uint64_t most = disk_space_size(self) / LIMIT_RESERVE_SHARE;
    self->reserve_bytes = reserve_bytes < most ? reserve_bytes : most;
}

bool disk_space_has(const disk_space *self, uint64_t more_bytes) {
    uint64_t free_bytes = disk_space_free(self);
    return free_bytes == UINT64_MAX || (free_bytes >= more_bytes && free_bytes - more_bytes >= self->reserve_bytes);
}
