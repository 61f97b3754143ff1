/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check.c - what the checks share (check.h). */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define GUARD 64
#define GUARD_VALUE 12345.678f

const int32_t linear_shapes[LINEAR_SHAPES][2] = {
    {60, 30}, {60, 60}, {180, 90}, {120, 60}, {7, 4}, {1, 8}, {33, 14}, {360, 180},
};

static uint32_t random_state = 1;

void random_restart(void) {
    random_state = 1;
}

float random_float(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return (float)(random_state >> 8) / 8388608.0f - 1.0f;
}

float *new_floats(size_t count) {
    float *memory = aligned_alloc(SWIN2SR__ALIGN, (count * sizeof *memory + 63) / 64 * 64);
    for (size_t i = 0; i < count; i++)
        memory[i] = random_float();
    return memory;
}

float *new_guarded(size_t count) {
    float *memory = new_floats(count + 2 * GUARD);
    for (size_t i = 0; i < count + 2 * GUARD; i++)
        memory[i] = GUARD_VALUE;
    return memory + GUARD;
}

bool is_guard_whole(const float *output, size_t count) {
    for (size_t i = 0; i < GUARD; i++) {
        if (output[-1 - (ptrdiff_t)i] != GUARD_VALUE || output[count + i] != GUARD_VALUE)
            return false;
    }
    return true;
}

void free_guarded(float *output) {
    free(output - GUARD);
}

void judge(check_result *r, const float *got, const float *want, const double *bound, size_t count) {
    bool is_good = is_guard_whole(got, count);
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - (double)want[i]), share = error / bound[i];
        if (!(share <= r->worst))
            r->worst = share;
        is_good = share <= 1.0 && is_good;
    }
    r->checked++;
    r->failed += !is_good;
}

bool is_bf16(const swin2sr__kernels *table) {
    return table->precision == SWIN2SR_PRECISION_BF16 || table->pair == 2;
}

const swin2sr__kernels *linear_oracle(const swin2sr__kernels *table) {
    return table->to_operand ? &swin2sr__kernels_c_int8
           : is_bf16(table)  ? &swin2sr__kernels_c_bf16
                             : &swin2sr__kernels_c;
}

const swin2sr__kernels *panel_oracle(const swin2sr__kernels *table) {
    return is_bf16(table) ? &swin2sr__kernels_c_bf16 : &swin2sr__kernels_c;
}

double flip_of(const swin2sr__kernels *table) {
    return is_bf16(table) ? 1.0 / 128.0 : 0.0;
}

void settle(const swin2sr__kernels *table, float *x, int32_t K) {
    for (int32_t i = 0; i < K * T && table->to_operand && is_bf16(table); i++) {
        uint32_t bits = swin2sr__bf16_bits(x[i]) << 16;
        memcpy(&x[i], &bits, sizeof bits);
    }
}

void put_operand(const swin2sr__kernels *table, float *operand, const float *x, int32_t K) {
    float *panel = new_floats((size_t)(K + 1) * T);
    memcpy(panel, x, (size_t)K * T * sizeof *x);
    if (table->to_panel)
        table->to_panel(panel, x, K);
    if (table->to_operand)
        table->to_operand(operand, panel, K);
    else
        memcpy(operand, panel, (size_t)K * T * sizeof *x);
    free(panel);
}

float *new_operand(const swin2sr__kernels *table, const float *x, int32_t K) {
    float *operand = new_floats((size_t)(K + 2) * T);
    put_operand(table, operand, x, K);
    return operand;
}

/* Words are split from the last one down, so that none is overwritten before it is read. */
void open_panel(const swin2sr__kernels *table, float *panel, int32_t n) {
    for (int32_t k = n / 2 - 1; k >= 0 && table->pair == 2; k--) {
        for (int32_t t = 0; t < T; t++) {
            uint32_t word, low, high;
            memcpy(&word, &panel[k * T + t], sizeof word);
            low = word << 16;
            high = word & 0xffff0000u;
            memcpy(&panel[(2 * k + 1) * T + t], &high, sizeof high);
            memcpy(&panel[2 * k * T + t], &low, sizeof low);
        }
    }
}

swin2sr__linear pack_for(const swin2sr__kernels *table, const layer *l) {
    float *weights = new_floats(swin2sr__linear_floats(table, l->outputs, l->packed.inputs));
    table->pack_linear(weights, l->weights, l->outputs, l->packed.inputs);
    return (swin2sr__linear){weights, l->bias, l->packed.inputs, l->packed.outputs};
}

layer new_layer(int32_t outputs, int32_t inputs, float scale) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    layer l = {.weights = new_floats((size_t)outputs * (size_t)inputs),
               .bias = new_floats((size_t)padded),
               .outputs = outputs};
    for (int32_t i = 0; i < outputs * inputs; i++)
        l.weights[i] *= scale;
    for (int32_t n = outputs; n < padded; n++)
        l.bias[n] = 0.0f;
    l.packed_weights = new_floats((size_t)padded * (size_t)inputs);
    swin2sr__pack_linear(l.packed_weights, l.weights, outputs, inputs);
    l.packed = (swin2sr__linear){l.packed_weights, l.bias, inputs, padded};
    return l;
}

void free_layer(layer *l) {
    free(l->weights);
    free(l->bias);
    free(l->packed_weights);
}
