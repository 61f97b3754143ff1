/* SPDX-License-Identifier: Apache-2.0
 * admit/client.h - the address of the client, also behind trusted proxies (stage 2 of 9, admit).
 * Each proxy appends the address of its own client to X-Forwarded-For, so only what trusted proxies have appended can
 * be believed: the list is read from the right, up to the first address that is not that of a trusted proxy.
 * Pure. */
#pragma once

#include "config/config.h"

/* forwarded  X-Forwarded-For, of all fields in order; "": there is none.
 * client     In: the address of the connection, "" for a local socket. Out: the client's, IPv4 without ::ffff:. An
 *            entry that is not an address ends the walk: the client is then the proxy that reported it. */
void client_find(const proxy_list *trusted, const char *forwarded, char client[LIMIT_ADDRESS_BYTES]);
