/* SPDX-License-Identifier: Apache-2.0
 * config/proxies.h - the setting --trusted-proxies: whose X-Forwarded-For is believed.
 * In: "10.0.0.0/8, fd00::/8, unix".  Out: networks, and whether an address is in one of them. Pure. */
#pragma once

#include <stdbool.h>

#include "config/limits.h"
#include <swin2sr/status.h>

/* An address of either family: IPv6, or IPv4 as ::ffff:a.b.c.d. */
typedef struct client_address {
    unsigned char bytes[16];
} client_address;

bool address_parse(const char *text, client_address *ret_address);
void address_write(const client_address *address, char ret_text[LIMIT_ADDRESS_BYTES]); /* IPv4 without ::ffff: */
bool address_is_ipv4(const client_address *address);

typedef struct proxy_network {
    client_address address;
    int bits; /* of the address that count, 0..128; of IPv4: 96..128 */
} proxy_network;

typedef struct proxy_list {
    proxy_network networks[LIMIT_PROXIES];
    int count;
    bool has_local; /* "unix": whoever connects over a local socket */
} proxy_list;

/* Entries are separated by commas or blanks.  errors: _INVALID, with the entry. ret_list is then untouched. */
swin2sr_status proxies_parse(const char *text, proxy_list *ret_list, swin2sr_error *reterr);

bool proxies_has(const proxy_list *list, const client_address *address);
