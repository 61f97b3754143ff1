/* SPDX-License-Identifier: Apache-2.0
 * store/store.h - where uploads and results lie, behind one interface.
 * In: bytes as they arrive.  Out: descriptors for a worker (input read-only, output write-only) and for the answer.
 * Each file has a descriptor in this process while a request needs it, because workers get descriptors and never paths.
 * All calls are made on the loop's thread, return without waiting, and complete on that thread.
 * All files count against one budget: what is appended at once, what a worker wrote from the commit on. Over the budget
 * nothing more can be appended, so that uploads and results together stay bounded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

typedef struct store store;

typedef struct store_file {
    store *owner; /* NULL: not created */
    int fd;
    uint64_t bytes; /* appended, or found at commit */
} store_file;

/* errors  As swin2sr_status of the call that it completes. */
typedef void (*store_done)(void *context, swin2sr_status status);

struct store {
    swin2sr_status (*create)(store *self, store_file *ret_file);
    swin2sr_status (*append)(store_file *file, const void *data, size_t size);
    void (*commit)(store_file *file, store_done on_done, void *context);
    int (*open)(const store_file *file, int flags);
    void (*remove)(store_file *file);
    const char *folder; /* borrowed */
    uint64_t used_bytes, budget_bytes;
};

/* Keep files unnamed in a folder: they are gone with their last descriptor, whatever dies. Where the folder is memory
 * (tmpfs), the budget is a quarter of the memory this process may use, if that is less than LIMIT_SPOOL_BYTES.
 * errors  _IO with errno set: no file can be made there. */
SWIN2SR_MUST_CHECK swin2sr_status store_use_folder(store *self, const char *folder);

/* Make an empty file.  errors _IO (no descriptor, no room, no such folder). */
static inline swin2sr_status store_create(store *self, store_file *ret_file) {
    return self->create(self, ret_file);
}

/* Add bytes at the end.  errors _BUSY (the budget is used up), _IO (the disk is full). */
static inline swin2sr_status store_append(store_file *file, const void *data, size_t size) {
    return file->owner->append(file, data, size);
}

/* No more bytes will come, appended or written by a worker. on_done may be called before this returns. */
static inline void store_commit(store_file *file, store_done on_done, void *context) {
    file->owner->commit(file, on_done, context);
}

/* Can files be made now? */
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

/* Forget a file; a commit that has not completed never does. A file that was not created is fine. */
static inline void store_remove(store_file *file) {
    if (file->owner)
        file->owner->remove(file);
    file->owner = NULL;
}
