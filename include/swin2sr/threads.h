/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/threads.h - worker threads that outlive one image. */
#ifndef SWIN2SR_THREADS_H
#define SWIN2SR_THREADS_H

#include <stdint.h>

#include <swin2sr/status.h>

SWIN2SR_BEGIN

typedef struct swin2sr_threads swin2sr_threads;

/* Start worker threads for one stream after the other (swin2sr_options.shared_threads). A program that enlarges many
 * images saves starting them for each; one that enters a sandbox which forbids new threads starts them before.
 * count        1..256, the thread that pushes rows included: count - 1 are started. 0: as many as there are usable cores.
 * ret_threads  The caller's (swin2sr_threads_free). Untouched on failure.
 * reterr       Detail, may be NULL.
 * threads      Any.
 * errors       _INVALID (count), _NOMEM.                                             since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_threads_new(int32_t count, swin2sr_threads **ret_threads,
                                                                     swin2sr_error *reterr);

/* End the threads. Streams that use them must be closed before.
 * threads  NULL is fine. Called by one thread.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC void swin2sr_threads_free(swin2sr_threads *threads);

SWIN2SR_END
#endif
