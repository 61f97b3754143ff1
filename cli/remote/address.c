/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/address.c - check addresses and ids, escape queries. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "base/error.h"

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define HOST_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]"

static swin2sr_status refuse(swin2sr_error *reterr, const char *why) {
    return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%s; an address looks like https://HOST[:PORT][/PATH]", why);
}

static bool is_loopback(const char *host) {
    static const char *const names[] = {"localhost", "127.", "[::1]"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncasecmp(host, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

swin2sr_status address_parse(const char *text, remote_address *ret_address, swin2sr_error *reterr) {
    remote_address found = {.is_https = strncasecmp(text, "https://", 8) == 0};
    size_t length = strlen(text);
    if (!found.is_https && strncasecmp(text, "http://", 7) != 0)
        return refuse(reterr, "it begins with neither http:// nor https://");
    if (length >= sizeof(found.base))
        return refuse(reterr, "it is longer than 1023 bytes");
    for (size_t i = 0; i < length; i++)
        if (!isgraph((unsigned char)text[i]) || strchr("\"<>\\^`{|}", text[i]))
            return refuse(reterr, "it has a character that no address has");
    const char *host = strstr(text, "://") + 3;
    size_t host_length = strcspn(host, "/?#");
    if (memchr(host, '@', host_length))
        return refuse(reterr, "it has a user or a password; --key-file has the key");
    if (strchr(host, '?') || strchr(host, '#'))
        return refuse(reterr, "it has a query or a fragment");
    if (host_length == 0 || host_length >= sizeof(found.host) || strspn(host, HOST_CHARACTERS) < host_length)
        return refuse(reterr, "its host is missing, too long, or has a character that no host has");
    while (length > 0 && text[length - 1] == '/')
        length--;
    snprintf(found.base, sizeof(found.base), "%.*s", (int)length, text);
    snprintf(found.host, sizeof(found.host), "%.*s", (int)host_length, host);
    found.is_loopback = is_loopback(found.host);
    *ret_address = found;
    return SWIN2SR_OK;
}

bool address_take_id(const char *text, char ret_id[ADDRESS_ID_BYTES]) {
    size_t length = strlen(text);
    if (length == 0 || length >= ADDRESS_ID_BYTES || strspn(text, ID_CHARACTERS) != length)
        return false;
    memcpy(ret_id, text, length + 1);
    return true;
}

bool address_add_query(char *path, size_t size, const char *name, const char *value) {
    size_t used = strlen(path);
    int more = snprintf(path + used, size - used, "%c%s=", strchr(path, '?') ? '&' : '?', name);
    if (more < 0 || (size_t)more >= size - used)
        return false;
    used += (size_t)more;
    for (; *value; value++) {
        bool is_plain = isalnum((unsigned char)*value) || strchr("-._~", *value);
        if (size - used < 4)
            return false;
        used += (size_t)snprintf(path + used, size - used, is_plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
    return true;
}
