/* SPDX-License-Identifier: Apache-2.0
 * config/proxies.c - trusted proxies: parse the list, and look up an address. */
#include "config/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* IPv4 in IPv6, RFC 4291 section 2.5.5.2 */

bool address_parse(const char *text, client_address *ret_address) {
    client_address address;
    if (inet_pton(AF_INET, text, address.bytes + sizeof mapped) == 1)
        memcpy(address.bytes, mapped, sizeof mapped);
    else if (inet_pton(AF_INET6, text, address.bytes) != 1)
        return false;
    *ret_address = address;
    return true;
}

bool address_is_ipv4(const client_address *address) {
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

void address_write(const client_address *address, char ret_text[LIMIT_ADDRESS_BYTES]) {
    bool is_ipv4 = address_is_ipv4(address);
    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, address->bytes + (is_ipv4 ? sizeof mapped : 0), ret_text,
              LIMIT_ADDRESS_BYTES);
}

/* "10.0.0.0/8", "fd00::1"; text is changed. */
static bool network_parse(char *text, proxy_network *ret_network) {
    char *slash = strchr(text, '/'), *end = "";
    if (slash)
        *slash = '\0';
    if (!address_parse(text, &ret_network->address))
        return false;
    int first = address_is_ipv4(&ret_network->address) ? 96 : 0;
    long bits = slash ? strtol(slash + 1, &end, 10) : 128 - first;
    ret_network->bits = first + (int)bits;
    return *end == '\0' && (!slash || strspn(slash + 1, "0123456789") > 0) && bits >= 0 && bits <= 128 - first;
}

swin2sr_status proxies_take_network(proxy_list *list, const char *text, size_t length, const char *wanted,
                                    swin2sr_error *reterr) {
    char entry[LIMIT_ADDRESS_BYTES + 4];
    bool is_short = (size_t)snprintf(entry, sizeof entry, "%.*s", (int)length, text) < sizeof entry;
    if (list->count == LIMIT_PROXIES)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "more than %d networks", LIMIT_PROXIES);
    if (!is_short || !network_parse(entry, &list->networks[list->count]))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%.*s: must be %s", (int)length, text, wanted);
    list->count++;
    return SWIN2SR_OK;
}

static swin2sr_status take_entry(const char *text, size_t length, proxy_list *list, swin2sr_error *reterr) {
    static const char local[] = "unix";
    if (length != sizeof local - 1 || strncmp(text, local, length) != 0)
        return proxies_take_network(list, text, length, "ADDRESS, ADDRESS/BITS or unix", reterr);
    list->has_local = true;
    return SWIN2SR_OK;
}

swin2sr_status proxies_parse(const char *text, proxy_list *ret_list, swin2sr_error *reterr) {
    proxy_list list = {.count = 0};
    swin2sr_status status = SWIN2SR_OK;
    for (size_t length; status == SWIN2SR_OK && (length = config_next_entry(&text)) > 0; text += length)
        status = take_entry(text, length, &list, reterr);
    if (status == SWIN2SR_OK)
        *ret_list = list;
    return status;
}

static bool is_within(const client_address *address, const proxy_network *network) {
    int whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(address->bytes, network->address.bytes, (size_t)whole) != 0)
        return false;
    return rest == 0 || (address->bytes[whole] ^ network->address.bytes[whole]) >> (8 - rest) == 0;
}

bool proxies_has(const proxy_list *list, const client_address *address) {
    for (int i = 0; i < list->count; i++)
        if (is_within(address, &list->networks[i]))
            return true;
    return false;
}
