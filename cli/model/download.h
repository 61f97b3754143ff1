/* SPDX-License-Identifier: Apache-2.0
 * cli/model/download.h - fetch one file over HTTP so that a broken transfer goes on where it stopped.
 * In: a URL, and PART, where the bytes gather.  Out: PART complete and on the disk, or the part that came.
 * PART.from says what the bytes are of: the URL, the server's mark of that version, the length. Bytes of two versions
 * are never joined: the server is asked with If-Range, and whatever cannot be proved the same starts again at zero.
 * One download of a PART at a time: it is locked while open, a second one waits. */
#ifndef SWIN2SR_CLI_MODEL_DOWNLOAD_H
#define SWIN2SR_CLI_MODEL_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define PART_ENDING ".part"
#define DOWNLOAD_FROM_ENDING ".from" /* after the other */

typedef struct download {
    const char *url;       /* http or https; from https redirects lead to https only */
    const char *part_path; /* borrowed, as url */
    uint64_t max_bytes;    /* no file is longer */
    int32_t stall_s;       /* give up when less than 1 KiB/s came for so long */
    bool is_quiet;
    int fd; /* of PART, locked; -1: not open */
} download;

/* Open and lock PART; waits, with a note, while another program has it.
 * errors  _IO, _CANCELLED (a signal arrived). */
swin2sr_status download_open(download *self, swin2sr_error *reterr);

/* Fetch what is missing.
 * errors  _IO (network, HTTP, disk: PART is kept where it can go on), _MODEL (an answer that is no model),
 *         _TOO_LARGE, _CANCELLED, _UNSUPPORTED (no libcurl), _NOMEM. The detail says what to do. */
swin2sr_status download_fetch(download *self, swin2sr_error *reterr);

/* Remove PART and PART.from: done with them, or they are worth nothing. */
void download_discard(download *self);

/* Unlock and close; a PART without a byte goes. */
void download_close(download *self);

#endif
