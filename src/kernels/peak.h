/* SPDX-License-Identifier: Apache-2.0
 * kernels/peak.h - what one core could do at best, measured where the benchmark runs. */
#ifndef SWIN2SR_KERNELS_PEAK_H
#define SWIN2SR_KERNELS_PEAK_H

#include <swin2sr/types.h>

/* The calling core's multiply-add peak for the type, at the kernel level in use, in 1e9 a second; best of many
 * bursts in about 50 ms. 0 where the type is emulated. */
double swin2sr__peak_gmac_per_s(swin2sr_precision precision);

#endif
