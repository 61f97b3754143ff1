/* SPDX-License-Identifier: Apache-2.0
 * webhook/url.c - the URL of a webhook, which a client gives.
 * In: text.  Out: its host, or what is wrong. Only characters are taken that every parser of URLs reads in one way, so
 * that the host that is looked up in the list is the one that libcurl connects to. */
#include <stdlib.h>
#include <string.h>

#include "webhook/webhook.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_port(const char *text, size_t length) {
    return length >= 1 && length <= 5 && strspn(text, DIGITS) >= length && atoi(text) >= 1 && atoi(text) <= 65535;
}

/* HOST or [ADDRESS], and perhaps :PORT. */
static bool take_host(const char *text, size_t length, char *ret_host) {
    bool is_address = text[0] == '[';
    const char *begin = text + is_address;
    size_t host = strspn(begin, is_address ? DIGITS "abcdefABCDEF:." : LOWER UPPER DIGITS ".-_");
    size_t used = host + 2 * (size_t)is_address;
    if (host == 0 || used > length || (is_address && begin[host] != ']'))
        return false;
    if (used < length && (text[used] != ':' || !is_port(text + used + 1, length - used - 1)))
        return false;
    for (size_t i = 0; i < host; i++)
        ret_host[i] = strchr(UPPER, begin[i]) ? (char)(begin[i] - 'A' + 'a') : begin[i];
    ret_host[host] = '\0';
    return true;
}

const char *webhook_parse_url(const char *url, char *ret_host) {
    size_t length = strlen(url), scheme = strncmp(url, "https://", 8) == 0  ? 8
                                          : strncmp(url, "http://", 7) == 0 ? 7
                                                                            : 0;
    if (length >= LIMIT_WEBHOOK_BYTES)
        return "must have at most 255 characters";
    if (scheme == 0)
        return "must begin with https:// or http://";
    if (strspn(url, LOWER UPPER DIGITS "-._~:/?[]!$&'()*+,;=%") != length)
        return "has a character that a URL here may not have: a fragment, a user, a blank, or one that must be written "
               "as %XX";
    if (!take_host(url + scheme, strcspn(url + scheme, "/?"), ret_host))
        return "has no valid host and port";
    return NULL;
}
