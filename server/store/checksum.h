/* SPDX-License-Identifier: Apache-2.0
 * store/checksum.h - SHA-256 of a file that was written before, to tell whether the disk still has the same bytes.
 * It is computed on the I/O thread in slices, so that the other tasks of that thread get their turn in between. */
#pragma once

#include "store/io.h"
#include <swin2sr/status.h>

#define CHECKSUM_HEX_BYTES 65 /* 64 hex digits and a zero */

typedef struct checksum checksum; /* one that is being computed */

/* status  _OK; _IO (the file cannot be read or has another size).
 * sha256  Of _OK. */
typedef void (*checksum_done)(void *context, swin2sr_status status, const char *sha256);

/* Compute it. on_done is called once, unless it is cancelled, and perhaps before this returns.
 * fd      Borrowed during this call.
 * slot    NULL outside of the time between this call and on_done.
 * errors  _NOMEM (no memory or no free descriptor), _IO (fd is none); on_done is not called then. */
SWIN2SR_MUST_CHECK swin2sr_status checksum_start(io_thread *io, int fd, uint64_t size, checksum_done on_done,
                                                 void *context, checksum **slot);
void checksum_cancel(checksum **slot); /* none is being computed: fine */

/* Compute it at once; this waits for the disk.  errors _IO. */
SWIN2SR_MUST_CHECK swin2sr_status checksum_of(int fd, uint64_t size, char ret_sha256[CHECKSUM_HEX_BYTES]);
