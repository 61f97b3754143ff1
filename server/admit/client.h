/* SPDX-License-Identifier: Apache-2.0
 * admit/client.h - whose request it is: the address of the client, behind trusted proxies too (stage 2 of 9, admit).
 * Each proxy appends the address that it was called from to X-Forwarded-For, so that only what trusted proxies have
 * appended is known to be true: it is read from the right, up to the first address that is not a trusted proxy's.
 * Pure. */
#pragma once

#include "config/proxies.h"

/* forwarded  X-Forwarded-For, of all fields in order; "": there is none.
 * client     In: the address of the connection, "" for a local socket. Out: the client's, IPv4 without ::ffff:. What is
 *            not an address ends the walk: then the client is the proxy that reported it. */
void client_find(const proxy_list *trusted, const char *forwarded, char client[LIMIT_ADDRESS_BYTES]);
