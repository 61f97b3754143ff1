/* SPDX-License-Identifier: Apache-2.0
 * ipc/bundle.h - several pictures in one input (stage 3 of 9, dispatch).
 * The files lie one after another, and a list of them follows: their names, how each is to be enlarged, and what takes
 * the place of one that was refused or fails. So they are one input of one job, on the way to a worker and on the disk.
 * The list is text, so that a later version can read it. The worker does not trust it: every number is checked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define BUNDLE_FILES_MAX 64
#define BUNDLE_NAME_BYTES 128 /* terminator included */
#define BUNDLE_STATUSES 12    /* OK..INTERNAL, as -status */
#define BUNDLE_LIST_MAX_BYTES ((size_t)1 << 20)

/* In the document of a status: where the detail of the failure goes, as the inside of a JSON string. */
#define BUNDLE_DETAIL "{{detail}}"

typedef struct bundle_text {
    const char *text; /* NULL: none */
    size_t bytes;
} bundle_text;

typedef struct bundle_file {
    uint64_t bytes;                          /* of the input, 0.. */
    uint64_t cost_us;                        /* predicted */
    uint32_t format;                         /* of the result */
    uint32_t frames_max, tile_px, shrink_px; /* as in ipc_job, as is the next one */
    uint64_t memory_bytes;
    char name[BUNDLE_NAME_BYTES];   /* as it came, cleaned; unique in the bundle, as is the next one */
    char result[BUNDLE_NAME_BYTES]; /* of the result */
    bundle_text fault;              /* refused: the problem document that takes its place. Borrowed */
} bundle_file;

typedef struct bundle {
    bundle_file files[BUNDLE_FILES_MAX];
    size_t count;
    bundle_text problems[BUNDLE_STATUSES]; /* documents with BUNDLE_DETAIL in it. Borrowed */
} bundle;

/* The list as text.  returns  The caller frees it. NULL: out of memory. */
char *bundle_write(const bundle *self, size_t *ret_size);

/* Read such a list, whose texts are borrowed.
 * files_bytes  Of all files together.
 * errors       _CORRUPT. */
SWIN2SR_MUST_CHECK swin2sr_status bundle_read(const char *list, size_t size, uint64_t files_bytes, bundle *ret_bundle);
