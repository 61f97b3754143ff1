/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/wide.h - a table for tests: the vector kernels 16 floats wide in plain C. */
#ifndef SWIN2SR_TESTS_KERNELS_WIDE_H
#define SWIN2SR_TESTS_KERNELS_WIDE_H

#include "kernels/kernels.h"

extern const swin2sr__kernels swin2sr__kernels_wide;

#endif
