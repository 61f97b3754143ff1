/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/retry.c - back-off with a limit on the time without progress. */
#include "retry.h"

#define FIRST_US 250000u
#define LONGEST_US 15000000u
#define MAX_DOUBLINGS 6u

void retry_progress(retry_state *self, uint64_t now_us) {
    *self = (retry_state){.progress_us = now_us};
}

bool retry_pause(retry_state *self, uint64_t now_us, uint64_t timeout_us, uint32_t retry_after_s, uint8_t random,
                 uint64_t *ret_us) {
    uint64_t spent_us = now_us - self->progress_us;
    uint64_t pause_us = (uint64_t)FIRST_US << (self->failures < MAX_DOUBLINGS ? self->failures : MAX_DOUBLINGS);
    uint64_t wanted_us = (uint64_t)retry_after_s * 1000000;
    pause_us = pause_us < LONGEST_US ? pause_us : LONGEST_US;
    pause_us -= pause_us / 2 * random / 255;
    if (spent_us >= timeout_us || wanted_us > timeout_us - spent_us)
        return false;
    if (pause_us > timeout_us - spent_us)
        pause_us = timeout_us - spent_us;
    self->failures++;
    *ret_us = pause_us > wanted_us ? pause_us : wanted_us;
    return true;
}
