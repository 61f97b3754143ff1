/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/test_self_test.c - the self-test passes correct networks and fails on any other result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker.h"

#define ONE_F16 0x3c00

/* The default network's file with one weight changed: the first number of this tensor, in F16, becomes 1. */
static unsigned char *altered_file(const char *tensor, size_t *ret_size) {
    const unsigned char *bytes = swin2sr_model_default_bytes(ret_size);
    unsigned char *copy = malloc(*ret_size);
    assert_non_null(copy);
    memcpy(copy, bytes, *ret_size);
    uint64_t header_bytes;
    memcpy(&header_bytes, bytes, sizeof header_bytes);
    char *header = strndup((const char *)bytes + 8, header_bytes);
    const char *entry = strstr(header, tensor), *offsets = entry ? strstr(entry, "data_offsets") : NULL;
    const char *begin = offsets ? strchr(offsets, '[') : NULL;
    assert_non_null(begin);
    uint16_t one = ONE_F16;
    memcpy(copy + 8 + header_bytes + strtoul(begin + 1, NULL, 10), &one, sizeof one);
    free(header);
    return copy;
}

static swin2sr_model *open_altered(bool is_plain) {
    size_t size;
    unsigned char *file = altered_file("\"conv_first.bias\"", &size);
    swin2sr_model_options options = {.is_plain = is_plain, .precision = SWIN2SR_PRECISION_FP32};
    swin2sr_model *model = NULL;
    assert_int_equal(swin2sr_model_open_memory(file, size, NULL, &options, &model, NULL), SWIN2SR_OK);
    free(file);
    return model;
}

static swin2sr_model *open_default(bool is_plain, swin2sr_precision precision) {
    swin2sr_model_options options = {.is_plain = is_plain, .precision = precision};
    swin2sr_model *model = NULL;
    assert_int_equal(swin2sr_model_open_default(&options, &model, NULL), SWIN2SR_OK);
    return model;
}

static void built_in_networks_pass(void **state) {
    assert_int_equal(goldens_count, swin2sr_model_built_in_count());
    for (size_t i = 0; i < goldens_count; i++)
        for (swin2sr_precision precision = SWIN2SR_PRECISION_FP32; precision < SWIN2SR_PRECISION_COUNT; precision++) {
            swin2sr_model_options options = {.precision = precision};
            swin2sr_model *model = NULL;
            assert_int_equal(swin2sr_model_open_built_in(swin2sr_model_built_in_name(i), &options, &model, NULL),
                             SWIN2SR_OK);
            assert_ptr_equal(self_test_find_golden(model), &goldens[i]);
            assert_int_equal(self_test_golden(model, &goldens[i], 1, NULL), SWIN2SR_OK);
            swin2sr_model_unref(model);
        }
}

static void one_wrong_weight_is_another_picture(void **state) {
    swin2sr_model *model = open_altered(false);
    swin2sr_error error = {""};
    assert_int_equal(self_test_golden(model, &goldens[0], 1, &error), SWIN2SR_INTERNAL);
    assert_non_null(strstr(error.text, "the self-test failed"));
    assert_non_null(strstr(error.text, "the golden sums"));
    swin2sr_model_unref(model);
}

/* There are no golden sums for its bytes, so a worker compares it with itself on the plain kernels. In fp32: a bias of 1
 * is far from what the int8 kernels were made for. */
static void altered_network_is_another_network(void **state) {
    swin2sr_model *model = open_altered(false), *plain = open_altered(true);
    assert_null(self_test_find_golden(model));
    swin2sr_error error = {""};
    if (self_test_plain(model, plain, 1, &error) != SWIN2SR_OK)
        fail_msg("%s", error.text);
    swin2sr_model_unref(plain);
    swin2sr_model_unref(model);
}

static void plain_kernels_with_another_picture(void **state) {
    swin2sr_model *model = open_altered(false), *plain = open_default(true, SWIN2SR_PRECISION_FP32);
    swin2sr_error error = {""};
    assert_int_equal(self_test_plain(model, plain, 1, &error), SWIN2SR_INTERNAL);
    assert_non_null(strstr(error.text, "the plain kernels"));
    swin2sr_model_unref(plain);
    swin2sr_model_unref(model);
}

static void cost_can_be_predicted_with(void **state) {
    swin2sr_model *model = open_default(false, SWIN2SR_PRECISION_FP32);
    ipc_ready ready = {.license = ""};
    assert_int_equal(self_test_measure(model, 1, &ready, NULL), SWIN2SR_OK);
    assert_in_range(ready.us_per_megapixel, 1, IPC_COST_MAX);
    assert_in_range(ready.base_bytes, 1, IPC_COST_MAX);
    assert_in_range(ready.column_bytes, 1, IPC_COST_MAX);
    swin2sr_model_unref(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_networks_pass),
        cmocka_unit_test(one_wrong_weight_is_another_picture),
        cmocka_unit_test(altered_network_is_another_network),
        cmocka_unit_test(plain_kernels_with_another_picture),
        cmocka_unit_test(cost_can_be_predicted_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
