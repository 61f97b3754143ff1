/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_cells.c - four cells of 16 lanes to a block of 64 and back. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

void check_cells(const swin2sr__kernels *table, check_result *r) {
    for (int32_t C = 1; C <= 61; C += 20) {
        size_t count = (size_t)C * T;
        float *cells[4], *x = new_guarded(count), *back[4];
        for (int32_t s = 0; s < 4; s++) {
            cells[s] = new_floats((size_t)C * SWIN2SR__UNIT);
            back[s] = new_guarded((size_t)C * SWIN2SR__UNIT);
        }
        table->gather(x, (const float *const *)cells, C);
        table->scatter(back, x, C);
        bool is_good = is_guard_whole(x, count);
        for (int32_t s = 0; s < 4; s++) {
            is_good = is_good && is_guard_whole(back[s], (size_t)C * SWIN2SR__UNIT) &&
                      memcmp(back[s], cells[s], (size_t)C * SWIN2SR__UNIT * sizeof(float)) == 0;
            is_good = is_good && x[s * SWIN2SR__UNIT + 3] == cells[s][3];
            free(cells[s]);
            free_guarded(back[s]);
        }
        free_guarded(x);
        r->checked++;
        r->failed += !is_good;
    }
}
