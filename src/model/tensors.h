/* SPDX-License-Identifier: Apache-2.0
 * model/tensors.h - a directory of named tensors, for all kinds of weight files.
 * In: bytes, untrusted until checked.  Out: tensors whose names, types, shapes and extents have been checked.
 * safetensors.c and checkpoint.c fill it in, each for one format; weights.c reads only this. */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "base/memory.h"
#include <swin2sr/status.h>

/* The largest published Swin2SR has 900 tensors. */
#define SWIN2SR__MAX_TENSORS 10000
#define SWIN2SR__MAX_RANK 8
#define SWIN2SR__MAX_NAME_BYTES 160 /* with the terminating zero */

typedef enum swin2sr__dtype {
    SWIN2SR__DTYPE_F32 = 0,
    SWIN2SR__DTYPE_F16,
    SWIN2SR__DTYPE_BF16,
    SWIN2SR__DTYPE_OTHER, /* known to the format, not readable as weights: I64, BOOL, ... */
    SWIN2SR__DTYPE_COUNT
} swin2sr__dtype;

typedef struct swin2sr__tensor {
    const char *name;          /* printable ASCII */
    const unsigned char *data; /* little endian, not aligned, in row-major order */
    size_t bytes;
    size_t count; /* product of the shape */
    swin2sr__dtype dtype;
    int rank;
    int64_t shape[SWIN2SR__MAX_RANK]; /* each >= 0 */
} swin2sr__tensor;

typedef struct swin2sr__tensors {
    swin2sr__tensor *tensors;
    size_t tensor_count;
    json_t *header;        /* of a safetensors file: owns its names and metadata */
    swin2sr__arena memory; /* of a checkpoint: names, and tensors that were not in row-major order */
} swin2sr__tensors;

/* Read the directory of a safetensors file, or of a PyTorch checkpoint, whose code is never run.
 * data      Borrowed until swin2sr__tensors_done.
 * ret_file  Filled on success; the caller's (swin2sr__tensors_done). Untouched on failure.
 * errors    _MODEL, where the detail says what is wrong, _NOMEM. */
swin2sr_status swin2sr__safetensors_init(const void *data, size_t size, swin2sr__tensors *ret_file,
                                         swin2sr_error *reterr);
swin2sr_status swin2sr__checkpoint_init(const void *data, size_t size, swin2sr__tensors *ret_file,
                                        swin2sr_error *reterr);

/* True if the file begins like a checkpoint, or like one of PyTorch before 1.6, which is not read. */
bool swin2sr__checkpoint_is_one(const void *data, size_t size);

void swin2sr__tensors_done(swin2sr__tensors *file);

/* A string of the file's metadata; NULL: absent. Borrowed until done. */
const char *swin2sr__tensors_metadata(const swin2sr__tensors *file, const char *key);

/* Check that a name has 1 to MAX_NAME_BYTES - 1 characters of printable ASCII.  errors: _MODEL. */
swin2sr_status swin2sr__tensor_check_name(const char *name, size_t length, swin2sr_error *reterr);

/* Convert all numbers to float, exactly; dst holds tensor->count.
 * False if one of them is infinite or NaN. dtype must not be OTHER. */
bool swin2sr__tensor_to_float(const swin2sr__tensor *tensor, float *dst);

/* "60x3x3x3", or "scalar" for rank 0; truncated if it does not fit. */
void swin2sr__shape_text(const int64_t *shape, int rank, char *ret_text, size_t text_bytes);
