/* SPDX-License-Identifier: Apache-2.0
 * test_safetensors.c - the container: hand-made hostile files are refused with a text, sound ones are listed,
 * and every half and bfloat16 converts exactly. Run under ASan and UBSan by the sanitizer pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "model/tensors.h"
#include "network_file.h"

#define TENSOR(NAME, DTYPE, SHAPE, BEGIN, END) \
    "\"" NAME "\":{\"dtype\":\"" DTYPE "\",\"shape\":[" SHAPE "],\"data_offsets\":[" BEGIN "," END "]}"
#define A(SHAPE, BEGIN, END) TENSOR("a", "F32", SHAPE, BEGIN, END)
#define B(SHAPE, BEGIN, END) TENSOR("b", "F32", SHAPE, BEGIN, END)

static const struct hostile {
    const char *header;
    size_t data_bytes;
    const char *says; /* part of the detail */
    int64_t length_lie;
} hostile[] = {
    /* the length */
    {"", 0, "begin with {", 0},
    {"{}", 0, "cut short", 1},
    {"{}", 0, "neither a PyTorch checkpoint", 1 << 20},
    {"{}", 0, "neither a PyTorch checkpoint", INT64_MAX - 2},
    {"{}", 0, "neither a PyTorch checkpoint", -3},
    {"{}", 0, "neither a PyTorch checkpoint", INT64_MIN},
    {"{}", 0, "begin with {", -2},
    {"{}", 0, "valid JSON", -1},
    {"{" A("2", "0", "8") "}", 8, "valid JSON", 8},
    /* the JSON */
    {" {}", 0, "begin with {", 0},
    {"[]", 0, "begin with {", 0},
    {"{", 0, "valid JSON", 0},
    {"{}}", 0, "valid JSON", 0},
    {"{} x", 0, "valid JSON", 0},
    {"{\"a\":1,}", 0, "valid JSON", 0},
    {"{\"a\":nan}", 0, "valid JSON", 0},
    {"{\"\xff\":1}", 0, "valid JSON", 0},
    {"{\"a\\u0000b\":1}", 0, "valid JSON", 0},
    {"{" A("1", "0", "4") "," A("1", "4", "8") "}", 8, "valid JSON", 0},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "valid JSON", 0},
    {"{" A("99999999999999999999", "0", "4") "}", 4, "valid JSON", 0},
    /* names and metadata */
    {"{" TENSOR("", "F32", "1", "0", "4") "}", 4, "printable", 0},
    {"{" TENSOR("a b", "F32", "1", "0", "4") "}", 4, "printable", 0},
    {"{" TENSOR("\\u001b[2J", "F32", "1", "0", "4") "}", 4, "printable", 0},
    {"{" TENSOR("\xc3\xa9", "F32", "1", "0", "4") "}", 4, "printable", 0},
    {"{\"__metadata__\":[]," A("1", "0", "4") "}", 4, "__metadata__", 0},
    {"{\"__metadata__\":{\"config\":{}}," A("1", "0", "4") "}", 4, "__metadata__", 0},
    {"{\"__metadata__\":{\"step\":1}," A("1", "0", "4") "}", 4, "__metadata__", 0},
    /* types */
    {"{\"a\":1}", 0, "tensor a has no known type", 0},
    {"{\"a\":[]}", 0, "no known type", 0},
    {"{\"a\":{}}", 0, "no known type", 0},
    {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no known type", 0},
    {"{" TENSOR("a", "f32", "1", "0", "4") "}", 4, "no known type", 0},
    {"{" TENSOR("a", "Q4", "1", "0", "4") "}", 4, "no known type", 0},
    /* shapes */
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "valid shape", 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "valid shape", 0},
    {"{" A("-1", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("-1,-1", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("1.0", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("1e0", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("\"1\"", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("null", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("1,1,1,1,1,1,1,1,1", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("4294967296,4294967296", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("9223372036854775807,3", "0", "4") "}", 4, "valid shape", 0},
    {"{" A("4611686018427387905", "0", "4") "}", 4, "does not match its shape", 0},
    {"{" A("9223372036854775807", "0", "4") "}", 4, "does not match its shape", 0},
    {"{" A("2", "0", "4") "}", 4, "does not match its shape", 0},
    {"{" A("0", "0", "4") "}", 4, "does not match its shape", 0},
    {"{" TENSOR("a", "F16", "1", "0", "4") "}", 4, "does not match its shape", 0},
    {"{" TENSOR("a", "I64", "1", "0", "4") "}", 4, "does not match its shape", 0},
    /* offsets */
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets", 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "data_offsets", 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 8, "data_offsets", 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{}}}", 4, "data_offsets", 0},
    {"{" A("1", "0.0", "4") "}", 4, "data_offsets", 0},
    {"{" A("1", "-4", "0") "}", 4, "data_offsets", 0},
    {"{" A("1", "4", "0") "}", 4, "data_offsets", 0},
    {"{" A("1", "0", "4") "}", 3, "data_offsets", 0},
    {"{" A("1", "4", "8") "}", 4, "data_offsets", 0},
    {"{" A("1", "9223372036854775803", "9223372036854775807") "}", 4, "data_offsets", 0},
    {"{" A("1", "0", "9223372036854775807") "}", 4, "data_offsets", 0},
    /* coverage */
    {"{" A("1", "0", "4") "," B("1", "0", "4") "}", 4, "overlaps", 0},
    {"{" A("2", "0", "8") "," B("1", "4", "8") "}", 8, "overlaps", 0},
    {"{" A("2", "0", "8") "," B("2", "4", "12") "}", 12, "overlaps", 0},
    {"{" A("1", "4", "8") "}", 8, "gap", 0},
    {"{" A("1", "0", "4") "," B("1", "5", "9") "}", 9, "gap", 0},
    {"{" A("1", "0", "4") "}", 5, "after the last", 0},
    {"{}", 1, "after the last", 0},
};

static void hostile_files_are_refused(void **state) {
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        file_bytes file = container_file(hostile[i].header, hostile[i].length_lie, hostile[i].data_bytes);
        swin2sr__tensors parsed = {.tensor_count = 77};
        swin2sr_error error = {""};
        swin2sr_status status = swin2sr__safetensors_init(file.data, file.size, &parsed, &error);
        if (status != SWIN2SR_MODEL || !strstr(error.text, hostile[i].says))
            fail_msg("file %zu %s: status %d, \"%s\" does not say \"%s\"", i, hostile[i].header, status, error.text,
                     hostile[i].says);
        assert_int_equal(parsed.tensor_count, 77);
        assert_int_equal(swin2sr__safetensors_init(file.data, file.size, &parsed, NULL), SWIN2SR_MODEL);
        free(file.data);
    }
}

static void too_short_for_a_length(void **state) {
    swin2sr__tensors parsed;
    swin2sr_error error;
    unsigned char *bytes = calloc(1, 8);
    for (size_t size = 0; size < 8; size++)
        assert_int_equal(swin2sr__safetensors_init(bytes, size, &parsed, &error), SWIN2SR_MODEL);
    assert_int_equal(swin2sr__safetensors_init(NULL, 0, &parsed, &error), SWIN2SR_MODEL);
    free(bytes);
}

/* A sound file cut at any byte is not sound. */
static void every_truncation_is_refused(void **state) {
    file_bytes file = container_file("{" A("1", "0", "4") "," B("1", "4", "8") "}", 0, 8);
    for (size_t size = 0; size < file.size; size++) {
        swin2sr__tensors parsed;
        unsigned char *cut = malloc(size ? size : 1); /* its own block, so that ASan sees one byte too far */
        memcpy(cut, file.data, size);
        assert_int_equal(swin2sr__safetensors_init(cut, size, &parsed, NULL), SWIN2SR_MODEL);
        free(cut);
    }
    free(file.data);
}

static void limits(void **state) {
    enum {
        DEPTH = 100000,
        MANY = SWIN2SR__MAX_TENSORS + 1
    };
    char *header = malloc(80u * MANY), *at = header + sprintf(header, "{\"a\":");
    swin2sr__tensors parsed;
    swin2sr_error error;
    memset(at, '[', DEPTH);
    at[DEPTH] = '\0';
    file_bytes deep = container_file(header, 0, 0);
    assert_int_equal(swin2sr__safetensors_init(deep.data, deep.size, &parsed, &error), SWIN2SR_MODEL);
    at = header;
    for (int i = 0; i < MANY; i++)
        at += sprintf(at, "%s\"%d\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}", i ? "," : "{", i);
    strcpy(at, "}");
    file_bytes many = container_file(header, 0, 0);
    assert_int_equal(swin2sr__safetensors_init(many.data, many.size, &parsed, &error), SWIN2SR_MODEL);
    assert_non_null(strstr(error.text, "at most 10000"));
    at = header + sprintf(header, "{\"");
    memset(at, 'n', SWIN2SR__MAX_NAME_BYTES);
    strcpy(at + SWIN2SR__MAX_NAME_BYTES, "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    file_bytes wide = container_file(header, 0, 0);
    assert_int_equal(swin2sr__safetensors_init(wide.data, wide.size, &parsed, &error), SWIN2SR_MODEL);
    assert_non_null(strstr(error.text, "longer"));
    free(deep.data);
    free(many.data);
    free(wide.data);
    free(header);
}

static void sound_files_are_listed(void **state) {
    file_bytes file =
        container_file("{\"__metadata__\":{\"format\":\"pt\"}," B("", "24", "28") "," A("2,3", "0", "24") "," TENSOR(
                           "empty", "F16", "4,0", "28", "28") "," TENSOR("index", "I64", "1", "28", "36") "}   ",
                       0, 36);
    swin2sr__tensors parsed;
    assert_int_equal(swin2sr__safetensors_init(file.data, file.size, &parsed, NULL), SWIN2SR_OK);
    assert_int_equal(parsed.tensor_count, 4);
    assert_string_equal(parsed.tensors[0].name, "a");
    assert_int_equal(parsed.tensors[0].rank, 2);
    assert_int_equal(parsed.tensors[0].count, 6);
    assert_string_equal(parsed.tensors[1].name, "b");
    assert_int_equal(parsed.tensors[1].rank, 0);
    assert_int_equal(parsed.tensors[1].count, 1);
    assert_string_equal(parsed.tensors[2].name, "empty");
    assert_int_equal(parsed.tensors[2].count, 0);
    assert_int_equal(parsed.tensors[3].dtype, SWIN2SR__DTYPE_OTHER);
    assert_ptr_equal(parsed.tensors[3].data + 8, file.data + file.size);
    assert_string_equal(swin2sr__tensors_metadata(&parsed, "format"), "pt");
    assert_null(swin2sr__tensors_metadata(&parsed, "config"));
    swin2sr__tensors_done(&parsed);
    free(file.data);
}

/* Every 16-bit pattern, at an odd address, against the formats' definitions in double. */
static void sixteen_bits_convert_exactly(void **state) {
    unsigned char bytes[3];
    for (uint32_t bits = 0; bits < 65536; bits++) {
        swin2sr__tensor tensor = {.data = bytes + 1, .count = 1, .dtype = SWIN2SR__DTYPE_F16};
        int sign = bits & 0x8000 ? -1 : 1, exponent = bits >> 10 & 31, mantissa = bits & 1023;
        double half = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
        float value;
        bytes[1] = (unsigned char)bits;
        bytes[2] = (unsigned char)(bits >> 8);
        assert_int_equal(swin2sr__tensor_to_float(&tensor, &value), exponent != 31);
        assert_true(exponent == 31 ? !isfinite(value) : (double)value == sign * half);
        assert_int_equal(!!signbit(value), sign < 0);
        tensor.dtype = SWIN2SR__DTYPE_BF16;
        exponent = bits >> 7 & 255;
        mantissa = bits & 127;
        half = exponent ? ldexp(128 + mantissa, exponent - 134) : ldexp(mantissa, -133);
        assert_int_equal(swin2sr__tensor_to_float(&tensor, &value), exponent != 255);
        assert_true(exponent == 255 ? !isfinite(value) : (double)value == sign * half);
    }
}

/* Many numbers at once go through vector instructions, with a rest and not aligned. */
static void all_numbers_at_once_convert_as_one_by_one(void **state) {
    enum {
        COUNT = 65536 + 5
    };
    unsigned char *bytes = malloc(2 * COUNT + 1);
    float *together = malloc(COUNT * sizeof(float)), alone;
    assert_non_null(bytes);
    assert_non_null(together);
    for (int i = 0; i < COUNT; i++) {
        bytes[2 * i + 1] = (unsigned char)i;
        bytes[2 * i + 2] = (unsigned char)(i >> 8);
    }
    for (swin2sr__dtype dtype = SWIN2SR__DTYPE_F16; dtype <= SWIN2SR__DTYPE_BF16; dtype++) {
        swin2sr__tensor all = {.data = bytes + 1, .dtype = dtype, .count = COUNT};
        assert_false(swin2sr__tensor_to_float(&all, together));
        for (int i = 0; i < COUNT; i++) {
            swin2sr__tensor one = {.data = bytes + 2 * i + 1, .dtype = dtype, .count = 1};
            swin2sr__tensor_to_float(&one, &alone);
            assert_memory_equal(&alone, together + i, sizeof(alone));
        }
    }
    free(bytes);
    free(together);
}

static void shape_texts(void **state) {
    char text[64], tight[4];
    int64_t huge[8];
    swin2sr__shape_text((const int64_t[]){60, 3, 3, 3}, 4, text, sizeof(text));
    assert_string_equal(text, "60x3x3x3");
    swin2sr__shape_text(NULL, 0, text, sizeof(text));
    assert_string_equal(text, "scalar");
    for (int i = 0; i < 8; i++)
        huge[i] = INT64_MAX;
    swin2sr__shape_text(huge, 8, tight, sizeof(tight));
    assert_string_equal(tight, "922");
    swin2sr__shape_text(huge, 8, text, sizeof(text));
    assert_int_equal(strlen(text), sizeof(text) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(too_short_for_a_length),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(limits),
        cmocka_unit_test(sound_files_are_listed),
        cmocka_unit_test(sixteen_bits_convert_exactly),
        cmocka_unit_test(all_numbers_at_once_convert_as_one_by_one),
        cmocka_unit_test(shape_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
