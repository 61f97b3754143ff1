/* SPDX-License-Identifier: Apache-2.0
 * kernels/peak.c - measure the multiply-add peak. */
#include "kernels/peak.h"

#include <time.h>

#include "kernels/kernels.h"

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double swin2sr__peak_gmac_per_s(swin2sr_precision precision) {
    const swin2sr__kernels *table = swin2sr__kernels_get(precision);
    bool is_native = table && (table->precision == SWIN2SR_PRECISION_FP32 || table->pair > 1);
    if (!is_native)
        return 0.0;
    double best = 0.0, start = seconds_now(), at = start;
    while (at - start < 0.05) {
        double macs = table->fma_burst();
        double end = seconds_now(), rate = macs / (end - at) * 1e-9;
        if (rate > best)
            best = rate;
        at = end;
    }
    return best;
}
