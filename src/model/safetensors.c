/* SPDX-License-Identifier: Apache-2.0
 * model/safetensors.c - check a safetensors file and list its tensors.
 * The format: u64 LE header length, a JSON header, then the tensors' bytes, which cover the rest without gaps.
 * In: bytes, untrusted until checked.  Out: tensors that lie inside the file, in the order of their bytes.
 * Every number is bounded before use; memory grows with the header only, which has a limit. */
#include <stdlib.h>
#include <string.h>

#include "base/checked_math.h"
#include "base/error.h"
#include "model/tensors.h"

#define LENGTH_BYTES 8
/* The largest published Swin2SR has a header of 110 kB; parsed JSON takes a hundred times its length in memory. */
#define MAX_HEADER_BYTES (1u << 20)

static const struct {
    const char *name;
    swin2sr__dtype dtype;
    size_t bytes;
} dtypes[] = {
    {"F32", SWIN2SR__DTYPE_F32, 4},       {"F16", SWIN2SR__DTYPE_F16, 2},    {"BF16", SWIN2SR__DTYPE_BF16, 2},
    {"F64", SWIN2SR__DTYPE_OTHER, 8},     {"I64", SWIN2SR__DTYPE_OTHER, 8},  {"U64", SWIN2SR__DTYPE_OTHER, 8},
    {"I32", SWIN2SR__DTYPE_OTHER, 4},     {"U32", SWIN2SR__DTYPE_OTHER, 4},  {"I16", SWIN2SR__DTYPE_OTHER, 2},
    {"U16", SWIN2SR__DTYPE_OTHER, 2},     {"I8", SWIN2SR__DTYPE_OTHER, 1},   {"U8", SWIN2SR__DTYPE_OTHER, 1},
    {"F8_E4M3", SWIN2SR__DTYPE_OTHER, 1}, {"BOOL", SWIN2SR__DTYPE_OTHER, 1}, {"F8_E5M2", SWIN2SR__DTYPE_OTHER, 1},
};

/* What the parser reads, and where errors go. */
typedef struct parser {
    const unsigned char *data;
    size_t data_bytes;
    swin2sr_error *reterr;
} parser;

static bool read_size(const json_t *value, size_t *ret_size) {
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (unsigned long long)number > SIZE_MAX)
        return false;
    *ret_size = (size_t)number;
    return true;
}

static bool parse_dtype(const json_t *value, swin2sr__tensor *tensor, size_t *ret_bytes) {
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < sizeof(dtypes) / sizeof(dtypes[0]); i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            tensor->dtype = dtypes[i].dtype;
            *ret_bytes = dtypes[i].bytes;
            return true;
        }
    }
    return false;
}

static bool parse_shape(const json_t *value, swin2sr__tensor *tensor) {
    if (!json_is_array(value) || json_array_size(value) > SWIN2SR__MAX_RANK)
        return false;
    tensor->rank = (int)json_array_size(value);
    tensor->count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        size_t side;
        if (!read_size(json_array_get(value, i), &side) || !swin2sr__size_mul(tensor->count, side, &tensor->count))
            return false;
        tensor->shape[i] = (int64_t)side;
    }
    return true;
}

static bool parse_offsets(const parser *in, const json_t *value, swin2sr__tensor *tensor) {
    size_t begin, end;
    if (!json_is_array(value) || json_array_size(value) != 2 || !read_size(json_array_get(value, 0), &begin) ||
        !read_size(json_array_get(value, 1), &end) || begin > end || end > in->data_bytes)
        return false;
    tensor->data = in->data + begin;
    tensor->bytes = end - begin;
    return true;
}

static swin2sr_status parse_tensor(const parser *in, const char *name, const json_t *value, swin2sr__tensor *tensor) {
    size_t element_bytes, bytes;
    swin2sr_status status = swin2sr__tensor_check_name(name, strlen(name), in->reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (!parse_dtype(json_object_get(value, "dtype"), tensor, &element_bytes))
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s has no known type", name);
    if (!parse_shape(json_object_get(value, "shape"), tensor))
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s has no valid shape", name);
    if (!parse_offsets(in, json_object_get(value, "data_offsets"), tensor))
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s has no valid data_offsets in %zu bytes of data",
                                  name, in->data_bytes);
    if (!swin2sr__size_mul(tensor->count, element_bytes, &bytes) || bytes != tensor->bytes)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL,
                                  "tensor %s has %zu bytes of data, which does not match its shape", name,
                                  tensor->bytes);
    tensor->name = name;
    return SWIN2SR_OK;
}

static int compare_extents(const void *left, const void *right) {
    const swin2sr__tensor *a = left, *b = right;
    if (a->data != b->data)
        return a->data < b->data ? -1 : 1;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* The format requires that the tensors cover the data without gaps and overlaps. */
static swin2sr_status check_coverage(const parser *in, swin2sr__tensors *file) {
    const unsigned char *at = in->data;
    qsort(file->tensors, file->tensor_count, sizeof(file->tensors[0]), compare_extents);
    for (size_t i = 0; i < file->tensor_count; i++) {
        const swin2sr__tensor *tensor = &file->tensors[i];
        if (tensor->data != at)
            return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s %s", tensor->name,
                                      tensor->data < at ? "overlaps another" : "follows a gap in the data");
        at += tensor->bytes;
    }
    if (at != in->data + in->data_bytes)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "%zu bytes after the last tensor belong to no tensor",
                                  (size_t)(in->data + in->data_bytes - at));
    return SWIN2SR_OK;
}

static swin2sr_status check_metadata(json_t *metadata, swin2sr_error *reterr) {
    const char *key;
    json_t *value;
    if (metadata && !json_is_object(metadata))
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "__metadata__ is not an object");
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return swin2sr__error_set(reterr, SWIN2SR_MODEL, "__metadata__ holds something that is not a string");
    }
    return SWIN2SR_OK;
}

static swin2sr_status parse_tensors(const parser *in, swin2sr__tensors *file) {
    const char *name;
    json_t *value;
    size_t count = json_object_size(file->header) - (json_object_get(file->header, "__metadata__") != NULL);
    if (count > SWIN2SR__MAX_TENSORS)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "it has %zu tensors; at most %d are allowed", count,
                                  SWIN2SR__MAX_TENSORS);
    file->tensors = calloc(count ? count : 1, sizeof(file->tensors[0]));
    if (!file->tensors)
        return swin2sr__error_set(in->reterr, SWIN2SR_NOMEM, "no memory for %zu tensors", count);
    json_object_foreach(file->header, name, value) {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        swin2sr_status status = parse_tensor(in, name, value, &file->tensors[file->tensor_count]);
        if (status != SWIN2SR_OK)
            return status;
        file->tensor_count++;
    }
    return check_coverage(in, file);
}

static swin2sr_status parse_header(const unsigned char *bytes, size_t size, size_t *ret_header_bytes,
                                   json_t **ret_header, swin2sr_error *reterr) {
    json_error_t json_error;
    uint64_t header_bytes = 0;
    if (size < LENGTH_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "%zu bytes are too few for a safetensors file", size);
    for (int i = 0; i < LENGTH_BYTES; i++)
        header_bytes |= (uint64_t)bytes[i] << 8 * i;
    bool is_cut = header_bytes > size - LENGTH_BYTES;
    if (header_bytes > MAX_HEADER_BYTES || (is_cut && size > LENGTH_BYTES && bytes[LENGTH_BYTES] != '{'))
        return swin2sr__error_set(reterr, SWIN2SR_MODEL,
                                  "neither a PyTorch checkpoint nor a safetensors file with a header of at most %u MiB",
                                  MAX_HEADER_BYTES >> 20);
    if (is_cut)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL,
                                  "a safetensors file that is cut short: a header of %llu bytes in a file of %zu",
                                  (unsigned long long)header_bytes, size);
    if (header_bytes == 0 || bytes[LENGTH_BYTES] != '{')
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "not a safetensors file: its header does not begin with {");
    json_t *header = json_loadb((const char *)bytes + LENGTH_BYTES, header_bytes, JSON_REJECT_DUPLICATES, &json_error);
    if (!header && !json_error.text[0]) /* jansson sets no text when memory runs out */
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a header of %llu bytes",
                                  (unsigned long long)header_bytes);
    if (!header)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "the safetensors header is not valid JSON at byte %d",
                                  json_error.position);
    *ret_header_bytes = (size_t)header_bytes;
    *ret_header = header;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__safetensors_init(const void *data, size_t size, swin2sr__tensors *ret_file,
                                         swin2sr_error *reterr) {
    swin2sr__tensors file = {0};
    size_t header_bytes = 0;
    swin2sr_status status = parse_header(data, size, &header_bytes, &file.header, reterr);
    if (status != SWIN2SR_OK)
        return status;
    parser in = {.data = (const unsigned char *)data + LENGTH_BYTES + header_bytes,
                 .data_bytes = size - LENGTH_BYTES - header_bytes,
                 .reterr = reterr};
    status = check_metadata(json_object_get(file.header, "__metadata__"), reterr);
    if (status == SWIN2SR_OK)
        status = parse_tensors(&in, &file);
    if (status == SWIN2SR_OK)
        *ret_file = file;
    else
        swin2sr__tensors_done(&file);
    return status;
}
