/* SPDX-License-Identifier: Apache-2.0
 * store/space.h - the free space of a disk, of which a reserve is left to others.
 * Uploads and new jobs stop at the reserve. Records, and results of work that was accepted, may use it, so that what was
 * accepted can be finished, recorded and removed on a disk that others have filled. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct disk_space {
    const char *folder; /* on that disk; borrowed; NULL: every question is answered as if there were no limit */
    uint64_t reserve_bytes;
} disk_space;

/* The reserve is one part in LIMIT_RESERVE_SHARE of the disk if that is less than reserve_bytes, so that a small disk
 * remains usable. */
void disk_space_init(disk_space *self, const char *folder, uint64_t reserve_bytes);

/* UINT64_MAX: unknown, as in a folder that is gone, or a tmpfs without a size. */
uint64_t disk_space_free(const disk_space *self);
uint64_t disk_space_size(const disk_space *self);

/* false: with this many bytes more, less than the reserve would be free. */
bool disk_space_has(const disk_space *self, uint64_t more_bytes);
