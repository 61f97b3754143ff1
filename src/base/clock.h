/* SPDX-License-Identifier: Apache-2.0
 * base/clock.h - monotonic time in microseconds. */
#pragma once

#include <stdint.h>

uint64_t swin2sr__clock_us(void);
