/* SPDX-License-Identifier: Apache-2.0
 * model/zip.h - the entries of a zip file held in memory, as PyTorch writes them: stored, never compressed.
 * In: bytes, untrusted until checked.  Out: entries that lie inside the file and do not overlap.
 * A file that could be read in two ways is refused: local headers and directory must agree. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/crc32.h"
#include <swin2sr/status.h>

#define SWIN2SR__MAX_ZIP_ENTRIES 100000
#define SWIN2SR__MAX_ZIP_NAME_BYTES 511

typedef struct swin2sr__zip_entry {
    const char *name; /* printable ASCII, not terminated */
    size_t name_bytes;
    const unsigned char *data;
    size_t bytes;
    size_t begin;       /* of the local header in the file */
    uint32_t crc32;     /* 0: not recorded */
    uint32_t is_proved; /* crc32 has been compared with its bytes */
} swin2sr__zip_entry;

typedef struct swin2sr__zip {
    swin2sr__zip_entry *entries; /* by name */
    size_t entry_count;
    swin2sr__crc32 crc;
} swin2sr__zip;

/* data     Borrowed until done.
 * ret_zip  Filled on success; the caller's (swin2sr__zip_done). Untouched on failure.
 * errors   _MODEL, where the detail says what is wrong, _NOMEM. */
swin2sr_status swin2sr__zip_init(const void *data, size_t size, swin2sr__zip *ret_zip, swin2sr_error *reterr);
void swin2sr__zip_done(swin2sr__zip *zip);

/* The entry with this name; NULL if there is none. */
swin2sr__zip_entry *swin2sr__zip_find(const swin2sr__zip *zip, const char *name, size_t name_bytes);

/* Compare the bytes of the entry with its checksum, once per entry.  errors: _MODEL. */
swin2sr_status swin2sr__zip_prove(const swin2sr__zip *zip, swin2sr__zip_entry *entry, swin2sr_error *reterr);
