/* SPDX-License-Identifier: Apache-2.0
 * zip.h - a ZIP file of stored entries, written as its bytes come (stage 8 of 9, encode).
 * The header of an entry is completed when its last byte has been written, so that a reader of a stream can take it too.
 * Names are UTF-8. Equal entries make equal bytes: no time is recorded. Files of 4 GiB and more are not written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crc32.h"
#include <swin2sr/status.h>

#define ZIP_NAME_BYTES 160 /* terminator included */

typedef struct zip_entry {
    char name[ZIP_NAME_BYTES];
    uint32_t crc, bytes, at; /* at: of its header in the file */
} zip_entry;

typedef struct zip_file {
    int fd;         /* borrowed */
    uint64_t bytes; /* written so far */
    swin2sr__crc32 crc;
    zip_entry *entries;
    size_t count, most;
    bool is_full; /* the file could not be written */
    bool is_long; /* it would have 4 GiB */
} zip_file;

/* most     Entries at most, up to 65534.
 * errors   _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status zip_open(zip_file *self, int fd, size_t most);
void zip_done(zip_file *self);

/* Begin an entry, write its bytes (an image_sink), end it. A call that returns false has set is_full or is_long. */
bool zip_begin(zip_file *self, const char *name);
bool zip_write(void *self, const void *bytes, size_t size);
bool zip_end(zip_file *self);

/* Forget the entry that was begun: what comes next takes its place. The file may be longer than `bytes` in the end. */
void zip_drop(zip_file *self);

/* Write the directory. The file ends at `bytes`. */
bool zip_finish(zip_file *self);
