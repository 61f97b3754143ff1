/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/retry.h - how long to wait before a request is sent again, and when to give up. No clock, no state beside
 * the struct. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct retry_state {
    uint64_t progress_us; /* when something last went on */
    uint32_t failures;    /* since then */
} retry_state;

/* Something went on: bytes were sent or received, or the service answered with success. */
void retry_progress(retry_state *self, uint64_t now_us);

/* After a failure: the pause before the next attempt. It doubles from 1/4 s to 15 s, and is shortened by a random part
 * of up to a half, so that many clients do not return at once; a Retry-After that is longer is kept.
 * random     0..255.
 * ret_us     The pause.
 * returns    false: give up, because the time without progress is over, or would be before the service may be asked. */
bool retry_pause(retry_state *self, uint64_t now_us, uint64_t timeout_us, uint32_t retry_after_s, uint8_t random,
                 uint64_t *ret_us);
