/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/webhook/test_url.c - hosts of URLs, and URLs that parsers may read in two ways, or that are none. */
#include "webhook/webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void hosts(void **state) {
    static const char *const pairs[][2] = {
        {"https://hooks.example/a?b=c&d=%20", "hooks.example"},
        {"http://HOOKS.Example:8080", "hooks.example"},
        {"https://10.0.0.1/x:y", "10.0.0.1"},
        {"http://[fd00::1]:81/", "fd00::1"},
        {"https://a?b", "a"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char host[LIMIT_WEBHOOK_BYTES];
        const char *fault = webhook_parse_url(pairs[i][0], host);
        if (fault)
            fail_msg("%s %s", pairs[i][0], fault);
        assert_string_equal(host, pairs[i][1]);
    }
}

static void what_is_refused(void **state) {
    static const char *const urls[] = {"",
                                       "hooks.example",
                                       "ftp://hooks.example/",
                                       "file:///etc/passwd",
                                       "HTTPS://hooks.example/",
                                       "https://",
                                       "https:///a",
                                       "https://hooks.example:0/",
                                       "https://a:65536/",
                                       "https://a:/",
                                       "https://a:8x/",
                                       "https://user@hooks.example/",
                                       "https://a#@hooks.example",
                                       "https://a\\@b",
                                       "https://a b/",
                                       "https://a/\n",
                                       "https://[::1",
                                       "https://[]/",
                                       "https://hooks.example%2e/",
                                       "https://a/\"",
                                       "https://[::1]x/",
                                       "https://\xc3\xa4.de/",
                                       "https://a:1:2/",
                                       "https://a!b/"};
    char host[LIMIT_WEBHOOK_BYTES], url[LIMIT_WEBHOOK_BYTES + 1];
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        if (!webhook_parse_url(urls[i], host))
            fail_msg("'%s' should be refused", urls[i]);
    snprintf(url, sizeof url, "https://%0*d", LIMIT_WEBHOOK_BYTES - 9, 0);
    assert_null(webhook_parse_url(url, host)); /* the longest */
    snprintf(url, sizeof url, "https://%0*d", LIMIT_WEBHOOK_BYTES - 8, 0);
    assert_non_null(webhook_parse_url(url, host));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(hosts), cmocka_unit_test(what_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
