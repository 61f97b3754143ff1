/* SPDX-License-Identifier: Apache-2.0
 * kernels/peak.h - the multiply-add peak of one core, for the benchmark. */
#pragma once

#include <swin2sr/types.h>

/* Measure the multiply-adds per second of the calling core with the kernels of a precision, in 1e9; the best of many
 * bursts in about 50 ms. 0 if the type is emulated. */
double swin2sr__peak_gmac_per_s(swin2sr_precision precision);
