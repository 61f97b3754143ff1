/* SPDX-License-Identifier: Apache-2.0
 * base/new_file.h - a file that appears under its name only when it is complete.
 * In: bytes, written by the caller to fd.  Out: the file, once commit has returned; until then a hidden file beside it.
 * Works also on file systems that cannot set modes, flush to disk, or rename without replacing; a file that may not be
 * replaced is not replaced there either. Errors name the path and the reason. */
#pragma once

#include <swin2sr/status.h>

typedef struct swin2sr__new_file {
    const char *path;    /* borrowed, like refusal */
    const char *refusal; /* why an existing file is not replaced; NULL: it is replaced */
    char *temporary;     /* DIR/.swin2sr-XXXXXXXX; NULL: committed, or not open */
    int fd;              /* of the temporary file; -1: closed */
} swin2sr__new_file;

/* Create the temporary file, locked so that swin2sr__new_file_sweep lets it be, with the mode of the file to be replaced, or 0666 reduced by the umask.
 * refusal   The detail of the error when the path exists, now or at commit; NULL: that file is replaced.
 * ret_file  The caller's (swin2sr__new_file_done).
 * errors    _IO, _NOMEM. */
swin2sr_status swin2sr__new_file_open(const char *path, const char *refusal, swin2sr__new_file *ret_file,
                                      swin2sr_error *reterr);

/* Remove the temporary files of a folder that no process has open, which those that were killed have left. */
void swin2sr__new_file_sweep(const char *folder);

/* fsync; file systems that do not support it count as success.  returns  Like fsync. */
int swin2sr__new_file_flush(int fd);

/* Flush the bytes to disk, close fd, and give the file its name. After a failure swin2sr__new_file_done removes the
 * temporary file. */
swin2sr_status swin2sr__new_file_commit(swin2sr__new_file *file, swin2sr_error *reterr);

/* Close, and remove a file that was not committed. */
void swin2sr__new_file_done(swin2sr__new_file *file);
