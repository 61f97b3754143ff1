/* SPDX-License-Identifier: Apache-2.0
 * base/clock.h - monotonic time in microseconds. */
#ifndef SWIN2SR_BASE_CLOCK_H
#define SWIN2SR_BASE_CLOCK_H

#include <stdint.h>

uint64_t swin2sr__clock_us(void);

#endif
