/* SPDX-License-Identifier: Apache-2.0
 * store/data.h - the folder of --data, whose files outlive the server.
 *
 *   uploads/           the spool, inputs of jobs, unfinished uploads
 *   outputs/           results of jobs, with readable names
 *   outputs/.jobs/     one record per job
 *   gpu-cache-...      the kernels that the driver of a GPU has compiled (pool/devices.h)
 *   quarantine/        damaged files; made when there is one. Where they cannot be moved there, .quarantine/ beside them
 *
 * A file appears under its name complete or not at all, and is on the disk when a call returns. The calls wait for the
 * disk, so once the server answers requests, only the I/O thread (store/io.h) makes them. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/space.h"
#include <swin2sr/status.h>

#define DATA_FOLDER_BYTES 4096 /* of a path, terminator included */

typedef struct data_folder {
    int uploads, outputs, records; /* open folders; 0: there is no data folder */
    disk_space disk;               /* that all of them are on */
    int lock;                      /* the folder; locked while the server runs, like outputs: a folder has one server */
    char outputs_path[DATA_FOLDER_BYTES];
} data_folder;

/* Open the folder, or make it, and remove temporary files that an earlier server left.
 * node           The name of this server, for the message of others that want the folder too.
 * reserve_bytes  Of the disk: store/space.h. self is not moved afterwards.
 * errors         _IO (it cannot be made or written), _BUSY (another server uses it, which the detail names). */
SWIN2SR_MUST_CHECK swin2sr_status data_open(data_folder *self, const char *path, const char *node,
                                            uint64_t reserve_bytes, swin2sr_error *reterr);
void data_close(data_folder *self); /* not opened is fine */

static inline bool data_is_open(const data_folder *self) {
    return self->uploads > 0;
}

/* Give an unnamed file a name. Where the file system cannot, or on another file system, its bytes are copied.
 * errors  _INVALID (the name is taken, and nothing is changed), _IO with errno set. */
SWIN2SR_MUST_CHECK swin2sr_status data_keep(int fd, int folder, const char *name);

/* Write a file, replacing one of this name.  errors _IO with errno set; an existing file is unchanged then. */
SWIN2SR_MUST_CHECK swin2sr_status data_write(int folder, const char *name, const void *bytes, size_t size);

/* Read a whole file of at most max_bytes.
 * ret_text  The caller frees it. A zero byte follows the last one.
 * errors    _IO with errno set, _TOO_LARGE, _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status data_read(int folder, const char *name, size_t max_bytes, char **ret_text,
                                            size_t *ret_size);

/* The names in a folder, in the order of strcmp.
 * ret_names  The caller's (data_names_free). Untouched on failure.
 * errors     _IO (the folder cannot be read), _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status data_list(int folder, struct dirent ***ret_names, size_t *ret_count);
void data_names_free(struct dirent **names, size_t count);

/* Remove a file; one that does not exist is fine.  errors _IO with errno set. */
swin2sr_status data_remove(int folder, const char *name);

/* Move a damaged file to quarantine/ or .quarantine/, in which the oldest are removed, so that it keeps within LIMIT_QUARANTINE_FILES and
 * _BYTES.  false: it could not be moved. */
bool data_quarantine(const data_folder *self, int folder, const char *name);
bool data_is_quarantined(const data_folder *self, const char *name);
