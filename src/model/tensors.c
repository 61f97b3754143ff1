/* SPDX-License-Identifier: Apache-2.0
 * model/tensors.c - names and numbers of tensors.
 * Files are little endian, and so is every processor that this is built for. */
#include "model/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/half.h"

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

static uint32_t bfloat_to_float(uint16_t bits) {
    return (uint32_t)bits << 16;
}

/* Convert all two-byte numbers by to_float, which is inlined. */
static inline void convert(const swin2sr__tensor *tensor, uint32_t (*to_float)(uint16_t), float *dst) {
    for (size_t i = 0; i < tensor->count; i++) {
        uint16_t number;
        memcpy(&number, tensor->data + 2 * i, sizeof(number));
        uint32_t bits = to_float(number);
        memcpy(dst + i, &bits, sizeof(bits));
    }
}

bool swin2sr__tensor_to_float(const swin2sr__tensor *tensor, float *dst) {
    uint32_t is_infinite = 0;
    if (tensor->dtype == SWIN2SR__DTYPE_F16)
        convert(tensor, swin2sr__half_to_float, dst);
    else if (tensor->dtype == SWIN2SR__DTYPE_BF16)
        convert(tensor, bfloat_to_float, dst);
    else if (tensor->count)
        memcpy(dst, tensor->data, tensor->count * sizeof(dst[0]));
    for (size_t i = 0; i < tensor->count; i++) {
        uint32_t bits;
        memcpy(&bits, dst + i, sizeof(bits));
        is_infinite |= (bits & 0x7f800000) == 0x7f800000;
    }
    return !is_infinite;
}

void swin2sr__shape_text(const int64_t *shape, int rank, char *ret_text, size_t text_bytes) {
    size_t at = 0;
    snprintf(ret_text, text_bytes, "scalar");
    for (int i = 0; i < rank && at < text_bytes; i++)
        at += (size_t)snprintf(ret_text + at, text_bytes - at, "%s%lld", i ? "x" : "", (long long)shape[i]);
}
