/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/threads.h - worker threads that several streams use in turn. */
#ifndef SWIN2SR_THREADS_H
#define SWIN2SR_THREADS_H

#include <stdint.h>

#include <swin2sr/status.h>

SWIN2SR_BEGIN

typedef struct swin2sr_threads swin2sr_threads;

/* Start worker threads for streams to use, one stream at a time (swin2sr_options.shared_threads). This saves a program
 * that enlarges many images from starting threads for each of them, and allows a program to start its threads before it
 * enters a sandbox that forbids new ones. Where the system starts fewer threads, those are used.
 * count        1..256, including the thread that pushes rows, so count - 1 threads are started. 0: one per usable core.
 * ret_threads  Owned by the caller (swin2sr_threads_free). Untouched on failure.
 * reterr       Details of a failure; may be NULL.
 * threads      Any.
 * errors       _INVALID (count), _NOMEM.                                             since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_threads_new(int32_t count, swin2sr_threads **ret_threads,
                                                                     swin2sr_error *reterr);

/* End the threads. Close the streams that use them first.
 * threads  NULL is allowed.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC void swin2sr_threads_free(swin2sr_threads *threads);

SWIN2SR_END
#endif
