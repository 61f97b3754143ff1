/* SPDX-License-Identifier: Apache-2.0
 * store/store.h - the interface of the store of uploads and results.
 * In: bytes as they arrive.  Out: descriptors for a worker (input read-only, output write-only) and for the answer.
 * Each file has a descriptor in this process while a request needs it, because workers get descriptors and never paths.
 * All calls are made on the loop's thread, return without waiting, and complete on that thread.
 * All files count against one budget: appended bytes immediately, bytes written by a worker from the commit on. Above
 * the budget nothing can be appended, so that uploads and results together are bounded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/limits.h"
#include "store/space.h"
#include <swin2sr/status.h>

typedef struct store store;

/* What the files of one client hold. It lives as long as one of them. */
typedef struct store_share store_share;
struct store_share {
    char client[LIMIT_ADDRESS_BYTES];
    uint64_t bytes;
    int file_count;
    store_share *next;
};

typedef struct store_file {
    store *owner; /* NULL: not created */
    int fd;
    uint64_t bytes;     /* appended, or found at commit */
    store_share *share; /* of its client; NULL: none, as with results */
} store_file;

/* status  Of the call that has completed. */
typedef void (*store_done)(void *context, swin2sr_status status);

struct store {
    swin2sr_status (*create)(store *self, store_file *ret_file);
    swin2sr_status (*append)(store_file *file, const void *data, size_t size);
    void (*commit)(store_file *file, store_done on_done, void *context);
    int (*open)(const store_file *file, int flags);
    void (*remove)(store_file *file);
    const char *folder; /* borrowed */
    disk_space disk;
    uint64_t used_bytes, budget_bytes;
    store_share *shares;
};

/* Keep unnamed files in a folder, which vanish with their last descriptor. If the folder is in memory (tmpfs), the
 * budget is a quarter of the memory that this process may use, but at most LIMIT_SPOOL_BYTES.
 * reserve_bytes  Of the disk: store/space.h.
 * errors         _IO with errno set: no file can be made there. */
SWIN2SR_MUST_CHECK swin2sr_status store_use_folder(store *self, const char *folder, uint64_t reserve_bytes);

/* A new file without a name, for any thread. -1, with errno set: it cannot be made. */
int store_open_unnamed(const char *folder);

/* Make an empty file.  errors _IO (no descriptor, no room, no such folder). */
static inline swin2sr_status store_create(store *self, store_file *ret_file) {
    return self->create(self, ret_file);
}

/* Count a file for the client with this address, whose files may take one part in LIMIT_SPOOL_SHARE of the budget, so
 * that no client holds all of it.  false: out of memory. A file leaves its share when it is removed. */
bool store_share_join(store_file *file, const char *client);
void store_share_leave(store_file *file);

/* Add bytes at the end.
 * errors  _BUSY (the budget is used up), _TOO_LARGE (the client's share of it is), _IO (the disk is full, but for its
 *         reserve). */
static inline swin2sr_status store_append(store_file *file, const void *data, size_t size) {
    return file->owner->append(file, data, size);
}

/* Call when no more bytes will be appended or written by a worker. on_done may be called before this returns. */
static inline void store_commit(store_file *file, store_done on_done, void *context) {
    file->owner->commit(file, on_done, context);
}

/* true: files can be created now. */
static inline bool store_is_working(store *self) {
    store_file test;
    if (self->create(self, &test) != SWIN2SR_OK)
        return false;
    self->remove(&test);
    return true;
}

/* A descriptor of its own, with its own offset, for O_RDONLY or O_WRONLY; -1: failed. */
static inline int store_open(const store_file *file, int flags) {
    return file->owner->open(file, flags);
}

/* Remove a file, also one that was not created. The on_done of a running commit is not called. */
static inline void store_remove(store_file *file) {
    if (file->owner)
        file->owner->remove(file);
    file->owner = NULL;
}
