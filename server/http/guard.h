/* SPDX-License-Identifier: Apache-2.0
 * http/guard.h - what the HTTP library lets through and must not pass (stage 1 of 9, request).
 * In: a request whose header has been read.  Out: NULL, or the fault; such a request gets 400 and its connection ends.
 * The rule: what two servers in a row could understand differently is refused (RFC 9112 section 11.2). */
#ifndef SWIN2SR_SERVER_GUARD_H
#define SWIN2SR_SERVER_GUARD_H

#include <microhttpd.h>
#include <stddef.h>

/* The request line, as the library gives it. */
typedef struct guard_line {
    const char *method, *target, *version;
    size_t target_bytes; /* as it came, before it was decoded; 0: not a path */
} guard_line;

const char *guard_check(struct MHD_Connection *connection, const guard_line *line);

/* The length of a raw target of visible ASCII that is a path or an absolute address, "http://host/path"; 0: it is neither
 * ("*", "host:port"), or the address hides its host behind %XX. */
size_t guard_target_bytes(const char *target);

/* The path in a decoded target. returns a place within target, or "/" for an address that has no path. */
const char *guard_path(const char *target);

/* Decode %XX in place, for paths and queries. %00 stays as it is, so that no name ends early: it then matches nothing.
 * The library's callback: returns the new length. */
size_t guard_unescape(void *context, struct MHD_Connection *connection, char *text);

#endif
