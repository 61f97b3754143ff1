/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/metrics/test_metrics.c - the use of each key; the number of labels is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics/metrics.h"

static char *text_of(const server_metrics *metrics) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    metrics_write(metrics, NULL, 0, out);
    fclose(out);
    return text;
}

static void keys_are_counted_apart(void **state) {
    server_metrics *metrics = calloc(1, sizeof *metrics);
    metrics_count_use(metrics, "", 1, 1);
    char *text = text_of(metrics);
    assert_null(strstr(text, "swin2sr_key_"));
    free(text);
    metrics_count_use(metrics, "alice-1", 100, 500000);
    metrics_count_use(metrics, "bob-2", 7, 1000000);
    metrics_count_use(metrics, "alice-1", 20, 250000);
    text = text_of(metrics);
    assert_non_null(strstr(text, "\nswin2sr_key_pictures_total{key=\"alice-1\"} 2\n"));
    assert_non_null(strstr(text, "\nswin2sr_key_pixels_total{key=\"alice-1\"} 120\n"));
    assert_non_null(strstr(text, "\nswin2sr_key_seconds_total{key=\"alice-1\"} 0.750000\n"));
    assert_non_null(strstr(text, "\nswin2sr_key_pixels_total{key=\"bob-2\"} 7\n"));
    free(text);
    free(metrics);
}

static void further_keys_are_counted_together(void **state) {
    server_metrics *metrics = calloc(1, sizeof *metrics);
    char id[LIMIT_OWNER_BYTES];
    for (int i = 0; i < 2 * LIMIT_KEY_METRICS; i++) {
        snprintf(id, sizeof id, "k%d", i);
        metrics_count_use(metrics, id, 1, 0);
        metrics_count_use(metrics, "k0", 0, 0);
    }
    assert_int_equal(metrics->key_count, LIMIT_KEY_METRICS + 1);
    assert_int_equal(metrics->keys[0].pictures, 2 * LIMIT_KEY_METRICS + 1);
    assert_string_equal(metrics->keys[LIMIT_KEY_METRICS].id, "other");
    assert_int_equal(metrics->keys[LIMIT_KEY_METRICS].pictures, LIMIT_KEY_METRICS);
    free(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_counted_apart),
        cmocka_unit_test(further_keys_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
