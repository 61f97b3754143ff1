/* SPDX-License-Identifier: Apache-2.0
 * model/tensors.c - which kind of file it is, and the numbers of a tensor.
 * In: bytes of a file, hostile until its reader has checked them.  Out: a directory of tensors; floats. */
#include "model/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/checkpoint.h"
#include "model/safetensors.h"

swin2sr_status swin2sr__tensors_init(const void *data, size_t size, swin2sr__tensors *ret_file, swin2sr_error *reterr) {
    if (swin2sr__checkpoint_is_one(data, size))
        return swin2sr__checkpoint_init(data, size, ret_file, reterr);
    return swin2sr__safetensors_init(data, size, ret_file, reterr);
}

void swin2sr__tensors_done(swin2sr__tensors *file) {
    free(file->tensors);
    json_decref(file->header);
    swin2sr__arena_done(&file->memory);
    *file = (swin2sr__tensors){0};
}

const char *swin2sr__tensors_metadata(const swin2sr__tensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

swin2sr_status swin2sr__tensor_check_name(const char *name, size_t length, swin2sr_error *reterr) {
    bool is_printable = length > 0;
    if (length >= SWIN2SR__MAX_NAME_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "a tensor's name is longer than %d bytes",
                                  SWIN2SR__MAX_NAME_BYTES - 1);
    for (size_t i = 0; i < length; i++)
        is_printable = is_printable && name[i] >= '!' && name[i] <= '~';
    if (!is_printable)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "a tensor's name is not printable ASCII");
    return SWIN2SR_OK;
}

/* Exact for every value: a float has more of both exponent and mantissa; subnormal halves are normal floats. */
static float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 1023;
    uint32_t bits;
    float value;
    if (exponent == 0) {
        value = (float)mantissa * 0x1p-24f;
        return sign ? -value : value;
    }
    bits = sign | (exponent == 31 ? 255u : exponent + 112) << 23 | mantissa << 13;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static bool is_float_finite(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return (bits & 0x7f800000) != 0x7f800000;
}

static float read_number(const unsigned char *at, swin2sr__dtype dtype) {
    float value;
    uint32_t bits = (uint32_t)at[1] << 8 | at[0];
    if (dtype == SWIN2SR__DTYPE_F16)
        return half_to_float((uint16_t)bits);
    bits = dtype == SWIN2SR__DTYPE_BF16 ? bits << 16 : bits | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

bool swin2sr__tensor_to_float(const swin2sr__tensor *tensor, float *dst) {
    size_t element_bytes = tensor->dtype == SWIN2SR__DTYPE_F32 ? 4 : 2;
    bool is_finite = true;
    for (size_t i = 0; i < tensor->count; i++) {
        dst[i] = read_number(tensor->data + i * element_bytes, tensor->dtype);
        is_finite &= is_float_finite(dst[i]);
    }
    return is_finite;
}

void swin2sr__shape_text(const int64_t *shape, int rank, char *ret_text, size_t text_bytes) {
    size_t at = 0;
    snprintf(ret_text, text_bytes, "scalar");
    for (int i = 0; i < rank && at < text_bytes; i++)
        at += (size_t)snprintf(ret_text + at, text_bytes - at, "%s%lld", i ? "x" : "", (long long)shape[i]);
}
