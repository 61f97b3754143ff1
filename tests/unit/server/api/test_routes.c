/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/api/test_routes.c - what may be called without an API key: these paths, and none that changes anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/routes.h"

static bool is_listed(const char *path) {
    static const char *const open[] = {"/",          "/healthz",     "/readyz",       "/metrics",
                                       "/v1/models", "/favicon.ico", "/openapi.json", "/assets/{id}",
                                       "/status"};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (strcmp(open[i], path) == 0)
            return true;
    return false;
}

static void open_paths_are_listed(void **state) {
    size_t open_count = 0;
    for (size_t i = 0; i < routes_count; i++) {
        if (routes[i].access != HTTP_ACCESS_OPEN)
            continue;
        assert_true(is_listed(routes[i].path));
        assert_string_equal(routes[i].method, "GET");
        open_count++;
    }
    assert_int_equal(open_count, 9);
}

/* A token lets its bearer read one job. */
static void tokens_are_for_reading(void **state) {
    for (size_t i = 0; i < routes_count; i++)
        if (routes[i].access == HTTP_ACCESS_TOKEN)
            assert_string_equal(routes[i].method, "GET");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_paths_are_listed),
        cmocka_unit_test(tokens_are_for_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
