/* SPDX-License-Identifier: Apache-2.0
 * base/new_file.h - a file that appears under its name whole or not at all.
 * In: bytes, written by the caller to fd.  Out: the file, once commit has returned; until then a hidden file beside it.
 * Works on every kind of file system: one that cannot set modes, flush to the disk, or rename without replacing still
 * gets its file, and a file that may not be replaced never is. Errors name the path and the reason. */
#pragma once

#include <swin2sr/status.h>

typedef struct swin2sr__new_file {
    const char *path;    /* borrowed, as refusal */
    const char *refusal; /* why an existing file is not replaced; NULL: it is replaced */
    char *temporary;     /* DIR/.swin2sr-XXXXXXXX; NULL: committed, or not open */
    int fd;              /* of the temporary file; -1: closed */
} swin2sr__new_file;

/* Create the temporary file. Its mode is that of the file to be replaced, or what the umask leaves of 0666.
 * refusal   The detail of the error when the path exists, now or at commit; NULL: that file is replaced.
 * ret_file  The caller's (swin2sr__new_file_done).
 * errors    _IO, _NOMEM. */
swin2sr_status swin2sr__new_file_open(const char *path, const char *refusal, swin2sr__new_file *ret_file,
                                      swin2sr_error *reterr);

/* fsync, where the file system has it.  returns  As fsync. */
int swin2sr__new_file_flush(int fd);

/* Flush the bytes to the disk, close fd, and give the file its name. After a failure the temporary file is still there
 * for swin2sr__new_file_done to remove. */
swin2sr_status swin2sr__new_file_commit(swin2sr__new_file *file, swin2sr_error *reterr);

/* Close, and remove a file that was not committed. */
void swin2sr__new_file_done(swin2sr__new_file *file);
