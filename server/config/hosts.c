/* SPDX-License-Identifier: Apache-2.0
 * config/hosts.c - hosts that this server may send to: parse the list, and look up a host or an address.
 * A name in the list permits what it resolves to only if that is a public address, or an address of a network in the
 * list: whoever has the name's domain could otherwise reach what is behind the firewall. */
#include "config/config.h"

#define NAME_BYTES 254 /* of a name of the DNS, terminator included */

/* What is not routed in the Internet, or is a way around that (RFC 6890, and IPv4 inside of IPv6). */
static const char special[] =
    "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,"
    "192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,"
    "224.0.0.0/4,240.0.0.0/4,2001::/23,2001:db8::/32,2002::/16,3fff::/20";
static const char unicast[] = "2000::/3,0.0.0.0/0"; /* of IPv6, all but this is special too */

/* "hooks.example", "*.example"; not what looks like an address. */
static bool is_name(const char *text, size_t length) {
    size_t star = length > 2 && strncmp(text, "*.", 2) == 0 ? 2 : 0;
    size_t last = length;
    while (last > star && text[last - 1] != '.')
        last--;
    return length - star >= 1 && length < NAME_BYTES && text[star] != '.' && text[length - 1] != '.' &&
           strspn(text + star, "abcdefghijklmnopqrstuvwxyz0123456789.-_") >= length - star &&
           strspn(text + last, "0123456789") < length - last;
}

static swin2sr_status take_entry(const char *text, size_t length, proxy_list *networks, swin2sr_error *reterr) {
    if (is_name(text, length))
        return SWIN2SR_OK; /* it is looked up in the text */
    return proxies_take_network(networks, text, length, "NAME or *.NAME in lower case, ADDRESS, or ADDRESS/BITS",
                                reterr);
}

swin2sr_status hosts_parse(const char *text, host_list *ret_list, swin2sr_error *reterr) {
    host_list list = {.text = text};
    swin2sr_status status = SWIN2SR_OK;
    for (size_t length; status == SWIN2SR_OK && (length = config_next_entry(&text)) > 0; text += length)
        status = take_entry(text, length, &list.networks, reterr);
    if (status == SWIN2SR_OK)
        *ret_list = list;
    return status;
}

bool hosts_have(const host_list *list, const char *host) {
    client_address address;
    const char *text = list->text;
    size_t wanted = strlen(host);
    if (address_parse(host, &address))
        return proxies_has(&list->networks, &address);
    for (size_t length; text && (length = config_next_entry(&text)) > 0; text += length) {
        bool is_ending = text[0] == '*' && wanted > length - 1;
        const char *name = is_ending ? text + 1 : text, *end = is_ending ? host + wanted - (length - 1) : host;
        size_t compared = is_ending ? length - 1 : length;
        if (strlen(end) == compared && strncmp(name, end, compared) == 0)
            return true;
    }
    return false;
}

bool hosts_may_reach(const host_list *list, const client_address *address) {
    proxy_list private, public;
    bool is_known =
        proxies_parse(special, &private, NULL) == SWIN2SR_OK && proxies_parse(unicast, &public, NULL) == SWIN2SR_OK;
    return proxies_has(&list->networks, address) ||
           (is_known && proxies_has(&public, address) && !proxies_has(&private, address));
}
