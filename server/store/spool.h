/* SPDX-License-Identifier: Apache-2.0
 * store/spool.h - uploads and results as unnamed files: gone with their last descriptor, whatever dies.
 * In: bytes as they arrive.  Out: descriptors for a worker (input read-only, output write-only) and for the answer.
 * Uploads count against one budget for all requests together. */
#ifndef SWIN2SR_SERVER_SPOOL_H
#define SWIN2SR_SERVER_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

typedef struct spool_folder {
    const char *folder; /* borrowed */
    uint64_t used_bytes;
} spool_folder;

typedef struct spool_file {
    spool_folder *owner;
    int fd; /* -1: not open */
    uint64_t bytes;
} spool_file;

/* An unnamed file in the folder, read and write. errors _IO (no descriptor, no room, no such folder). */
SWIN2SR_MUST_CHECK swin2sr_status spool_fd(const spool_folder *self, int *ret_fd);

/* The same for an upload. */
SWIN2SR_MUST_CHECK swin2sr_status spool_open(spool_folder *self, spool_file *ret_file);

/* Add bytes at the end. errors _BUSY (the budget is used up), _IO (the disk is full). */
SWIN2SR_MUST_CHECK swin2sr_status spool_append(spool_file *file, const void *data, size_t size);

void spool_close(spool_file *file); /* not open is fine */

/* Open a file again for someone else, with its own offset and with flags (O_RDONLY, O_WRONLY) only; -1: failed. */
int spool_reopen(int fd, int flags);

#endif
