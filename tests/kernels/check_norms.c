/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_norms.c - LayerNorm, alone and added to a residual. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

void check_norms(const swin2sr__kernels *table, check_result *r) {
    static const int32_t widths[] = {60, 180, 240, 6, 64};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        int32_t C = widths[i];
        size_t count = (size_t)C * T;
        float *x = new_floats(count), *y = new_floats(count), *gamma = new_floats((size_t)C),
              *beta = new_floats((size_t)C);
        float *want = new_guarded(count), *got = new_guarded(count), squares[T];
        double *bound = malloc(count * sizeof *bound);
        for (int32_t t = 0; t < T; t++)
            squares[t] = t == 3 ? 0.0f : t == 4 ? 1e12f : fabsf(random_float()) * (float)C;
        memcpy(want, x, count * sizeof *x);
        memcpy(got, x, count * sizeof *x);
        swin2sr__kernels_c.norm_add(want, y, squares, gamma, beta, C);
        table->norm_add(got, y, squares, gamma, beta, C);
        for (size_t j = 0; j < count; j++) {
            double scale = 1.0 / sqrt((double)squares[j % T] / C + 1e-5),
                   term = fabs((double)y[j] * scale * (double)gamma[j / T]);
            bound[j] = 8.0 * EPS * (term + fabs((double)beta[j / T]) + fabs((double)x[j])) + 1e-37;
        }
        judge(r, got, want, bound, count);
        for (size_t j = 0; j < count; j++)
            want[j] = got[j] = x[j] * 3.0f + (float)(j % T) * 0.1f;
        double range[T] = {0};
        for (size_t j = 0; j < count; j++)
            range[j % T] = fmax(range[j % T], fabs((double)want[j]));
        swin2sr__kernels_c.layer_norm(want, gamma, beta, C);
        table->layer_norm(got, gamma, beta, C);
        for (size_t j = 0; j < count; j++) /* the mean carries C eps of the range; the deviation here is at least 1 */
            bound[j] = EPS * (C + 8.0) * (range[j % T] + 2.0) * (fabs((double)gamma[j / T]) * 2.0 + 1.0);
        judge(r, got, want, bound, count);
        free(x);
        free(y);
        free(gamma);
        free(beta);
        free(bound);
        free_guarded(want);
        free_guarded(got);
    }
}
