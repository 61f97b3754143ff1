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
    double best = 0.0, start = seconds_now(), at = start;
    for (int32_t i = 0; table->fma_burst && at - start < 0.05; i++) {
        double macs = table->fma_burst(i % SWIN2SR__BURSTS);
        double end = seconds_now(), rate = macs / (end - at) * 1e-9;
        if (rate > best)
            best = rate;
        at = end;
    }
    return best;
}
