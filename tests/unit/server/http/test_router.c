/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/http/test_router.c - methods and paths, with and without a part in braces, against a table. */
#include "http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const http_route table[] = {
    {.method = "GET", .path = "/", .label = "/"},
    {.method = "POST", .path = "/v1/jobs", .label = "/v1/jobs"},
    {.method = "GET", .path = "/v1/jobs/{id}", .label = "/v1/jobs/{id}"},
    {.method = "DELETE", .path = "/v1/jobs/{id}", .label = "/v1/jobs/{id}"},
    {.method = "GET", .path = "/v1/jobs/{id}/events", .label = "/v1/jobs/{id}/events"},
    {.method = "GET", .path = "/v1/jobs/all", .label = "never"},
    {.method = "HEAD", .path = "/v1/uploads/{id}", .label = "/v1/uploads/{id}", .is_overridable = true},
    {.method = "DELETE", .path = "/v1/uploads/{id}", .label = "/v1/uploads/{id}", .is_overridable = true},
};
#define COUNT (sizeof table / sizeof table[0])

static http_match find(const char *method, const char *path) {
    return router_find(table, COUNT, HTTP_SIDE_ALL, method, NULL, path);
}

static void finds_routes(void **state) {
    assert_ptr_equal(find("GET", "/").route, &table[0]);
    assert_ptr_equal(find("HEAD", "/").route, &table[0]);
    assert_ptr_equal(find("POST", "/v1/jobs").route, &table[1]);
    assert_ptr_equal(find("DELETE", "/v1/jobs/7f").route, &table[3]);
    http_match match = find("GET", "/v1/jobs/7f/events");
    assert_ptr_equal(match.route, &table[4]);
    assert_string_equal(match.part, "7f");
    assert_string_equal(match.allow, "");
    assert_string_equal(find("GET", "/").part, "");
}

static void the_first_of_two_wins(void **state) {
    http_match match = find("GET", "/v1/jobs/all");
    assert_ptr_equal(match.route, &table[2]);
    assert_string_equal(match.part, "all");
}

static void no_such_path(void **state) {
    static const char *const paths[] = {"",
                                        "/v1",
                                        "/v1/jobs/",
                                        "/v1/jobs//events",
                                        "/v1/jobs/a/",
                                        "/v1/jobs/a/event",
                                        "/v1/jobs/a/events/",
                                        "/v1/jobs/a/b/events"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        http_match match = find("GET", paths[i]);
        assert_null(match.route);
        assert_string_equal(match.allow, "");
        assert_string_equal(match.part, "");
    }
}

static void says_what_a_path_takes(void **state) {
    assert_string_equal(find("POST", "/").allow, "GET, HEAD");
    assert_string_equal(find("GET", "/v1/jobs").allow, "POST");
    assert_string_equal(find("PUT", "/v1/jobs/x").allow, "GET, HEAD, DELETE");
    assert_string_equal(find("get", "/").allow, "GET, HEAD"); /* methods are case-sensitive */
}

static void head_may_have_a_route_of_its_own(void **state) {
    assert_ptr_equal(find("HEAD", "/v1/uploads/7f").route, &table[6]);
    assert_null(find("GET", "/v1/uploads/7f").route);
    assert_string_equal(find("GET", "/v1/uploads/7f").allow, "HEAD, DELETE");
}

static void another_method_by_a_header_field(void **state) {
    static const struct {
        const char *method, *override, *path;
        int index; /* -1: none */
    } rows[] = {
        {"POST", "DELETE", "/v1/uploads/7f", 7},   {"DELETE", "HEAD", "/v1/uploads/7f", 6},
        {"DELETE", "PATCH", "/v1/uploads/7f", -1}, {"DELETE", "", "/v1/uploads/7f", -1},
        {"GET", "DELETE", "/v1/jobs/7f", 2},       {"POST", "DELETE", "/v1/jobs/7f", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_match match = router_find(table, COUNT, HTTP_SIDE_ALL, rows[i].method, rows[i].override, rows[i].path);
        assert_ptr_equal(match.route, rows[i].index < 0 ? NULL : &table[rows[i].index]);
    }
}

static void long_parts_are_no_ids(void **state) {
    char path[200] = "/v1/jobs/";
    size_t before = strlen(path);
    memset(path + before, 'x', LIMIT_PATH_PART_BYTES - 1);
    assert_ptr_equal(find("GET", path).route, &table[2]);
    path[before + LIMIT_PATH_PART_BYTES - 1] = 'x';
    assert_null(find("GET", path).route);
}

static void labels_are_counted_once(void **state) {
    assert_int_equal(router_label_index(table, &table[2]), 2);
    assert_int_equal(router_label_index(table, &table[3]), 2);
    assert_int_equal(router_label_index(table, &table[4]), 4);
}

/* A socket serves what is for its side, and probes. */
static void sides(void **state) {
    static const http_route rows[] = {{.method = "POST", .path = "/a", .label = "/a"},
                                      {.method = "GET", .path = "/m", .label = "/m", .side = HTTP_SIDE_METRICS},
                                      {.method = "GET", .path = "/p", .label = "/p", .side = HTTP_SIDE_PROBES}};
    static const struct {
        http_side side;
        const char *served;
    } sockets[] = {{HTTP_SIDE_ALL, "amp"}, {HTTP_SIDE_CLIENTS, "ap"}, {HTTP_SIDE_METRICS, "mp"}};
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
        for (size_t row = 0; row < 3; row++) {
            bool is_served = strchr(sockets[i].served, rows[row].path[1]) != NULL;
            http_match match = router_find(rows, 3, sockets[i].side, rows[row].method, NULL, rows[row].path);
            assert_ptr_equal(match.route, is_served ? &rows[row] : NULL);
            match = router_find(rows, 3, sockets[i].side, "PUT", NULL, rows[row].path);
            assert_int_equal(match.allow[0] != '\0', is_served);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_routes),
        cmocka_unit_test(the_first_of_two_wins),
        cmocka_unit_test(no_such_path),
        cmocka_unit_test(says_what_a_path_takes),
        cmocka_unit_test(long_parts_are_no_ids),
        cmocka_unit_test(labels_are_counted_once),
        cmocka_unit_test(head_may_have_a_route_of_its_own),
        cmocka_unit_test(another_method_by_a_header_field),
        cmocka_unit_test(sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
