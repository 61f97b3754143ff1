/* SPDX-License-Identifier: Apache-2.0
 * cli/model/download.h - fetch one file over HTTP; a transfer that was cut off is resumed where it stopped.
 * In: a URL, and the path of PART, which collects the bytes.  Out: PART, complete and flushed, or as far as the
 * download came. PART.from holds the URL, the server's mark of the version, and the length. Bytes of two versions are
 * never joined: the request has If-Range, and the download starts again from zero unless the answer proves that it
 * continues PART. PART is locked while it is open; a second download of it waits. No symbolic link is followed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define PART_ENDING ".part"
#define DOWNLOAD_FROM_ENDING ".from" /* after PART_ENDING */

typedef struct download {
    const char *url;       /* http or https; redirects from https must lead to https */
    const char *part_path; /* borrowed, like url */
    uint64_t max_bytes;    /* larger files are refused */
    int32_t stall_s;       /* seconds under 1 KiB/s until the transfer is given up */
    bool is_quiet;
    int fd; /* of PART, locked; -1: not open */
} download;

/* Open and lock PART. Waits, with a note, while another program holds the lock.
 * errors  _IO, _CANCELLED (a signal arrived). */
swin2sr_status download_open(download *self, swin2sr_error *reterr);

/* Fetch what is missing.
 * errors  _IO (network, HTTP, disk; PART is kept), _MODEL (the answer is not a model), _TOO_LARGE, _CANCELLED,
 *         _UNSUPPORTED (no libcurl), _NOMEM. The detail says what to do. */
swin2sr_status download_fetch(download *self, swin2sr_error *reterr);

/* Remove PART and PART.from. */
void download_discard(download *self);

/* Unlock and close PART; remove it if it is empty. */
void download_close(download *self);
