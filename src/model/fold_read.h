/* SPDX-License-Identifier: Apache-2.0
 * model/fold_read.h - how folds get memory and read tensors. NULL means shapes only, or that something has failed. */
#ifndef SWIN2SR_MODEL_FOLD_READ_H
#define SWIN2SR_MODEL_FOLD_READ_H

#include "model/fold.h"

static inline bool swin2sr__fold_is_reading(const swin2sr__folds *folds) {
    return folds->weights && folds->status == SWIN2SR_OK;
}

/* Zeroed memory until swin2sr__folds_drop. */
void *swin2sr__fold_scratch(swin2sr__folds *folds, size_t count, size_t size);

/* Of the tensor names that follow. */
void swin2sr__fold_prefix(swin2sr__folds *folds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One tensor of prefix + name as floats. */
float *swin2sr__fold_tensor(swin2sr__folds *folds, const char *name, int rank, const int64_t *shape);

/* NAME.weight and NAME.bias of a linear layer, a 1x1 (as a linear layer) or a 3x3 convolution. */
swin2sr__layer swin2sr__fold_linear(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs);
swin2sr__layer swin2sr__fold_1x1(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs);
swin2sr__layer swin2sr__fold_3x3(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs);
swin2sr__norm swin2sr__fold_norm(swin2sr__folds *folds, const char *name);

/* A layer of this shape with memory but no numbers yet. */
swin2sr__layer swin2sr__fold_empty(swin2sr__folds *folds, int32_t outputs, int32_t planes, int32_t channels);

/* product [N][K] = a [N][M] b [M][K]. */
void swin2sr__fold_multiply(float *product, const float *a, const float *b, int32_t N, int32_t M, int32_t K);

#endif
