/* SPDX-License-Identifier: Apache-2.0
 * http/guard.h - refuses ambiguous requests that the HTTP library accepts (stage 1 of 9, request).
 * In: a request whose header has been read.  Out: NULL, or the fault; the answer is then 400 and the last.
 * The rule: a request that two servers in a row could read in two ways is refused (RFC 9112 section 11.2). */
#pragma once

#include <microhttpd.h>
#include <stddef.h>

/* The request line as the library gives it, target decoded. */
typedef struct guard_line {
    const char *method, *target, *version;
    size_t target_bytes; /* guard_target_bytes of the target before decoding */
} guard_line;

const char *guard_check(struct MHD_Connection *connection, const guard_line *line);

/* The length of an undecoded target; 0: it is neither a path nor an absolute address ("http://host/path"), has other
 * than visible ASCII, or has %XX in the host. */
size_t guard_target_bytes(const char *target);

/* The path within a decoded target; "/" for an absolute address without a path. */
const char *guard_path(const char *target);

/* The number of parameters in the query of a target. */
size_t guard_parameters(const char *target);

/* Bytes of the connection's memory that the header of a request has taken. */
size_t guard_header_bytes(struct MHD_Connection *connection, const guard_line *line);

/* The library's callback: decode %XX in place, for paths and queries. %00 stays as text, because a NUL would cut the
 * name short.  returns the new length. */
size_t guard_unescape(void *context, struct MHD_Connection *connection, char *text);
