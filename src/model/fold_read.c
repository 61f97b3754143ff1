/* SPDX-License-Identifier: Apache-2.0
 * model/fold_read.c - memory and tensors for folds. */
#include "model/fold_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void *swin2sr__fold_scratch(swin2sr__folds *folds, size_t count, size_t size) {
    if (!swin2sr__fold_is_reading(folds))
        return NULL;
    void *memory = folds->scratch_count < SWIN2SR__MAX_SCRATCH ? calloc(count, size) : NULL;
    if (!memory)
        folds->status = swin2sr__error_set(folds->reterr, SWIN2SR_NOMEM, "no memory to prepare the weights");
    else
        folds->scratch[folds->scratch_count++] = memory;
    return memory;
}

void swin2sr__folds_drop(swin2sr__folds *folds) {
    while (folds->scratch_count)
        free(folds->scratch[--folds->scratch_count]);
}

void swin2sr__fold_prefix(swin2sr__folds *folds, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(folds->prefix, sizeof folds->prefix, format, args);
    va_end(args);
}

float *swin2sr__fold_tensor(swin2sr__folds *folds, const char *name, int rank, const int64_t *shape) {
    char full[192];
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    float *data = swin2sr__fold_scratch(folds, count, sizeof *data);
    if (!data)
        return NULL;
    snprintf(full, sizeof full, "%s%s", folds->prefix, name);
    folds->status = swin2sr__weights_read(folds->weights, full, shape, rank, data, folds->reterr);
    return folds->status == SWIN2SR_OK ? data : NULL;
}

/* NAME.weight of this shape, NAME.bias of its first side. */
static swin2sr__layer read_layer(swin2sr__folds *folds, const char *name, int rank, const int64_t *shape) {
    char full[96];
    swin2sr__layer layer = {.outputs = (int32_t)shape[0], .planes = 1, .channels = {(int32_t)shape[1]}};
    snprintf(full, sizeof full, "%s.weight", name);
    layer.weights = swin2sr__fold_tensor(folds, full, rank, shape);
    snprintf(full, sizeof full, "%s.bias", name);
    layer.bias = swin2sr__fold_tensor(folds, full, 1, shape);
    return layer;
}

swin2sr__layer swin2sr__fold_linear(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs) {
    return read_layer(folds, name, 2, (int64_t[]){outputs, inputs});
}

swin2sr__layer swin2sr__fold_1x1(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs) {
    return read_layer(folds, name, 4, (int64_t[]){outputs, inputs, 1, 1});
}

swin2sr__layer swin2sr__fold_3x3(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs) {
    swin2sr__layer layer = read_layer(folds, name, 4, (int64_t[]){outputs, inputs, 3, 3});
    size_t C = (size_t)inputs;
    const float *file = layer.weights; /* [outputs][c][ky][kx] */
    layer.weights = swin2sr__fold_scratch(folds, (size_t)outputs * C * 9, sizeof *file);
    for (size_t n = 0; layer.weights && n < (size_t)outputs; n++) {
        for (size_t c = 0; c < C; c++) {
            for (size_t ky = 0; ky < 3; ky++)
                memcpy(layer.weights + (n * 3 + ky) * 3 * C + 3 * c, file + (n * C + c) * 9 + 3 * ky, 3 * sizeof *file);
        }
    }
    return layer;
}

swin2sr__norm swin2sr__fold_norm(swin2sr__folds *folds, const char *name) {
    swin2sr__layer both = read_layer(folds, name, 1, (int64_t[]){folds->network->config.dim, 0});
    return (swin2sr__norm){.gamma = both.weights, .beta = both.bias};
}

swin2sr__layer swin2sr__fold_empty(swin2sr__folds *folds, int32_t outputs, int32_t planes, int32_t channels) {
    swin2sr__layer layer = {.outputs = outputs, .planes = planes, .channels = {channels, planes > 1 ? channels : 0}};
    size_t inputs = 9 * (size_t)planes * (size_t)channels;
    layer.weights = swin2sr__fold_scratch(folds, (size_t)outputs * inputs, sizeof *layer.weights);
    layer.bias = swin2sr__fold_scratch(folds, (size_t)outputs, sizeof *layer.bias);
    return layer;
}

void swin2sr__fold_multiply(float *product, const float *a, const float *b, int32_t N, int32_t M, int32_t K) {
    memset(product, 0, (size_t)N * (size_t)K * sizeof *product);
    for (int32_t n = 0; n < N; n++) {
        for (int32_t m = 0; m < M; m++) {
            float weight = a[(size_t)n * (size_t)M + (size_t)m];
            const float *row = b + (size_t)m * (size_t)K;
            float *out = product + (size_t)n * (size_t)K;
            for (int32_t k = 0; k < K; k++)
                out[k] += weight * row[k];
        }
    }
}
