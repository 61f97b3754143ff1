/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/config/test_proxies.c - trusted proxies: the list, and addresses in its networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static bool has(const char *text, const char *address_text) {
    proxy_list list;
    client_address address;
    assert_int_equal(proxies_parse(text, &list, NULL), SWIN2SR_OK);
    assert_true(address_parse(address_text, &address));
    return proxies_has(&list, &address);
}

static void networks_have_their_addresses(void **state) {
    static const struct {
        const char *networks, *within, *outside;
    } rows[] = {
        {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
        {"192.168.1.5", "192.168.1.5", "192.168.1.4"},
        {"192.168.1.0/30", "192.168.1.3", "192.168.1.4"},
        {"192.168.1.77/25", "192.168.1.0", "192.168.1.128"}, /* bits after the prefix do not count */
        {"fd00::/8", "fdff::1", "fe00::"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
        {"::1", "::1", "::2"},
        {"0.0.0.0/0", "255.1.2.3", "::1"},
        {" 1.1.1.1 ,\t2.2.2.2,, 3.3.3.3", "3.3.3.3", "4.4.4.4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(has(rows[i].networks, rows[i].within));
        assert_false(has(rows[i].networks, rows[i].outside));
    }
    assert_true(has("::/0", "1.2.3.4"));
    assert_false(has("", "127.0.0.1"));
    assert_false(has("unix", "127.0.0.1"));
}

static void wrong_entries_are_named(void **state) {
    static const char *const wrong[] = {"x",
                                        "10.0.0.0/33",
                                        "10.0.0.0/-1",
                                        "10.0.0.0/",
                                        "10.0.0.0/8x",
                                        "::/129",
                                        "10.0.0/8",
                                        "/8",
                                        "[::1]",
                                        "10.0.0.1:80",
                                        "localhost",
                                        "unix/8",
                                        "2001:db8:0000:0000:0000:0000:0000:0000:0000/128"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        proxy_list list = {.count = 7};
        swin2sr_error error = {""};
        char text[100] = "10.0.0.0/8, ";
        assert_int_equal(proxies_parse(strcat(text, wrong[i]), &list, &error), SWIN2SR_INVALID);
        assert_memory_equal(error.text, wrong[i], strlen(wrong[i]));
        assert_int_equal(list.count, 7);
    }
}

static void the_list_is_bounded(void **state) {
    char text[LIMIT_PROXIES * 8 + 16] = "unix";
    proxy_list list;
    for (int i = 0; i < LIMIT_PROXIES; i++)
        strcat(text, ",1.1.1.1");
    assert_int_equal(proxies_parse(text, &list, NULL), SWIN2SR_OK);
    assert_int_equal(list.count, LIMIT_PROXIES);
    assert_true(list.has_local);
    assert_int_equal(proxies_parse(strcat(text, ",::1"), &list, NULL), SWIN2SR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_their_addresses),
        cmocka_unit_test(wrong_entries_are_named),
        cmocka_unit_test(the_list_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
