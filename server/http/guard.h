/* SPDX-License-Identifier: Apache-2.0
 * http/guard.h - what the HTTP library lets through and must not pass (stage 1 of 9, request).
 * In: a request whose header has been read.  Out: NULL, or the fault; such a request gets 400 and its connection ends. */
#ifndef SWIN2SR_SERVER_GUARD_H
#define SWIN2SR_SERVER_GUARD_H

#include <microhttpd.h>

const char *guard_check(struct MHD_Connection *connection);

/* Decode %XX in place, for paths and queries. %00 stays as it is, so that no name ends early: it then matches nothing.
 * The library's callback: returns the new length. */
size_t guard_unescape(void *context, struct MHD_Connection *connection, char *text);

#endif
