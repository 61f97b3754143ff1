/* SPDX-License-Identifier: Apache-2.0
 * kernels/automatic.h - which precision `auto` stands for, by kernel level and shape of the network.
 * In: the shape of a network.  Out: a precision. Nothing is timed at run time: workers agree on the bits of a result, and
 * its entity tag is known before the work. */
#pragma once

#include "kernels/kernels.h"

/* The precision of the first row that fits the shape and this processor; FP32 if there is none. */
swin2sr_precision swin2sr__auto_precision(int32_t dim, int32_t heads, int32_t window_px);
