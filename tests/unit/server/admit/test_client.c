/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/admit/test_client.c - the client's address behind proxies cannot be forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admit/client.h"

static void check(const char *trusted, const char *peer, const char *forwarded, const char *wanted) {
    proxy_list list;
    char client[LIMIT_ADDRESS_BYTES];
    assert_int_equal(proxies_parse(trusted, &list, NULL), SWIN2SR_OK);
    strcpy(client, peer);
    client_find(&list, forwarded, client);
    assert_string_equal(client, wanted);
}

static void without_trust_the_header_is_ignored(void **state) {
    check("", "192.0.2.1", "203.0.113.9", "192.0.2.1");
    check("", "", "203.0.113.9", "");
    check("10.0.0.0/8", "192.0.2.1", "203.0.113.9, 10.0.0.1", "192.0.2.1");
    check("10.0.0.0/8", "", "203.0.113.9", "");
    check("unix", "192.0.2.1", "203.0.113.9", "192.0.2.1");
}

static void the_right_most_untrusted_address_counts(void **state) {
    check("10.0.0.0/8", "10.0.0.1", "203.0.113.9", "203.0.113.9");
    check("10.0.0.0/8", "10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9");
    check("10.0.0.0/8", "10.0.0.1", "198.51.100.1,203.0.113.9 ,10.2.3.4,\t10.0.0.7", "203.0.113.9");
    check("10.0.0.0/8,fd00::/8", "fd12::1", "2001:db8::5, 10.0.0.1", "2001:db8::5");
    check("unix", "", "198.51.100.1, 203.0.113.9", "203.0.113.9");
}

static void proxies_alone_are_the_client(void **state) {
    check("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1");
    check("10.0.0.0/8", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3");
}

/* The proxy that reported it is the last that is known. */
static void what_is_no_address_ends_the_walk(void **state) {
    static const char *const wrong[] = {"unknown", "",
                                        " ",       "1.2.3",
                                        "_hidden", "203.0.113.9 203.0.113.8",
                                        "[::1",    "203.0.113.256",
                                        "x:1",     "1234567890123456789012345678901234567890123456789012345678901234"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char forwarded[128] = "203.0.113.9, ";
        strcat(strcat(forwarded, wrong[i]), ", 10.0.0.2");
        if (strcmp(wrong[i], "[::1") == 0) /* without the bracket it is still an address */
            check("10.0.0.0/8", "10.0.0.1", forwarded, "::1");
        else
            check("10.0.0.0/8", "10.0.0.1", forwarded, "10.0.0.2");
    }
    check("10.0.0.0/8", "10.0.0.1", ",", "10.0.0.1");
    check("10.0.0.0/8", "10.0.0.1", "203.0.113.9,", "10.0.0.1");
}

static void ports_and_brackets_are_left_out(void **state) {
    check("10.0.0.0/8", "10.0.0.1", "203.0.113.9:4711", "203.0.113.9");
    check("10.0.0.0/8", "10.0.0.1", "[2001:db8::5]:4711", "2001:db8::5");
    check("10.0.0.0/8", "10.0.0.1", "[2001:db8::5]", "2001:db8::5");
    check("10.0.0.0/8", "10.0.0.1", "2001:0DB8::0005", "2001:db8::5");
}

static void mapped_ipv4_is_ipv4(void **state) {
    check("", "::ffff:192.0.2.1", "", "192.0.2.1");
    check("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_trust_the_header_is_ignored),
        cmocka_unit_test(the_right_most_untrusted_address_counts),
        cmocka_unit_test(proxies_alone_are_the_client),
        cmocka_unit_test(what_is_no_address_ends_the_walk),
        cmocka_unit_test(ports_and_brackets_are_left_out),
        cmocka_unit_test(mapped_ipv4_is_ipv4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
