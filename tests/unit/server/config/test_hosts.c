/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/config/test_hosts.c - which hosts and addresses a list permits, and lists that are refused. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static host_list list_of(const char *text) {
    host_list list;
    swin2sr_error error = {""};
    if (hosts_parse(text, &list, &error) != SWIN2SR_OK)
        fail_msg("%s", error.text);
    return list;
}

static void names(void **state) {
    const host_list list = list_of("hooks.example, *.shop.example,10.1.0.0/16,::1,192.0.2.7");
    static const char *const in[] = {"hooks.example", "a.shop.example", "a.b.shop.example", "10.1.2.3",
                                     "::1",           "192.0.2.7"};
    static const char *const out[] = {"",
                                      "example",
                                      "ooks.example",
                                      "hooks.example.evil",
                                      "shop.example",
                                      "ashop.example",
                                      ".shop.example.",
                                      "10.2.0.1",
                                      "::2",
                                      "*.shop.example.x",
                                      "hooks",
                                      "hooks.example,"};
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        if (!hosts_have(&list, in[i]))
            fail_msg("%s should be in the list", in[i]);
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        if (hosts_have(&list, out[i]))
            fail_msg("%s should not be in the list", out[i]);
    const host_list none = {.text = NULL};
    assert_false(hosts_have(&none, "hooks.example"));
}

static bool may_reach(const host_list *list, const char *text) {
    client_address address;
    assert_true(address_parse(text, &address));
    return hosts_may_reach(list, &address);
}

static void addresses_that_are_not_public(void **state) {
    const host_list list = list_of("hooks.example");
    static const char *const special[] = {"0.0.0.0",
                                          "10.0.0.1",
                                          "100.64.0.1",
                                          "127.0.0.1",
                                          "127.255.255.255",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.168.1.1",
                                          "198.18.0.1",
                                          "224.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "fd00::1",
                                          "ff02::1",
                                          "::ffff:10.0.0.1",
                                          "::ffff:7f00:1",
                                          "64:ff9b::a00:1",
                                          "2001:db8::1",
                                          "2002:a00:1::",
                                          "2001::1",
                                          "::127.0.0.1",
                                          "fec0::1"};
    static const char *const public[] = {"1.1.1.1", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8", "2606:4700::1111"};
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (may_reach(&list, special[i]))
            fail_msg("%s should not be reachable", special[i]);
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
        if (!may_reach(&list, public[i]))
            fail_msg("%s should be reachable", public[i]);
}

static void networks_in_the_list(void **state) {
    const host_list list = list_of("hooks.internal,10.1.0.0/16,fd00::/8");
    assert_true(may_reach(&list, "10.1.255.1"));
    assert_true(may_reach(&list, "::ffff:10.1.0.1"));
    assert_true(may_reach(&list, "fd12::1"));
    assert_false(may_reach(&list, "10.2.0.1"));
    assert_false(may_reach(&list, "127.0.0.1"));
}

static void what_is_refused(void **state) {
    static const char *const texts[] = {"Hooks.example", "https://a.example", "a.example:443", "*",    "*.",  "*.*.a",
                                        "a_b/c",         "10.0.0.0/33",       "1.2.3",         "a..1", "-.0", ".a"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        host_list list = {.text = "untouched"};
        swin2sr_error error = {""};
        if (hosts_parse(texts[i], &list, &error) != SWIN2SR_INVALID)
            fail_msg("%s should be refused", texts[i]);
        assert_non_null(strstr(error.text, texts[i]));
        assert_string_equal(list.text, "untouched");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(addresses_that_are_not_public),
        cmocka_unit_test(networks_in_the_list),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
