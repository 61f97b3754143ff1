/* SPDX-License-Identifier: Apache-2.0
 * base/clock.h - monotonic time in microseconds. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t swin2sr__clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}
