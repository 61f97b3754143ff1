/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_put_bytes.c - blocks of values to rows of 8-bit pixels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

void check_put_bytes(const swin2sr__kernels *table, check_result *r) {
    static const int32_t shuffles[][2] = {{1, 3}, {2, 1}, {3, 3}, {4, 3}, {8, 3}};
    static const float mean[3] = {0.4488f, 0.4371f, 0.0f};
    for (size_t i = 0; i < sizeof shuffles / sizeof shuffles[0]; i++) {
        int32_t s = shuffles[i][0], channels = shuffles[i][1];
        float *values = new_floats((size_t)(channels * s * s) * T);
        uint8_t want[3 * SWIN2SR__MAX_SHUFFLE * T + 8], got[sizeof want];
        values[3] = NAN;
        values[5] = 1e30f;
        values[6] = -INFINITY;
        for (int32_t count = 1; count <= T * s; count += count < 9 ? 1 : 37) {
            bool is_good = true;
            memset(want, 0xA5, sizeof want);
            memset(got, 0xA5, sizeof got);
            swin2sr__kernels_c.put_bytes(want, values, s, channels, count, 1.5f, mean);
            table->put_bytes(got, values, s, channels, count, 1.5f, mean);
            for (size_t j = 0; j < sizeof want; j++)
                is_good = is_good && abs(got[j] - want[j]) <= ((int32_t)j < count * channels);
            r->checked++;
            r->failed += !is_good;
        }
        free(values);
    }
}
