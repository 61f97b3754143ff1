/* SPDX-License-Identifier: Apache-2.0
 * http/range.h - which bytes of a file a client asks for, and whether it has them already (stage 9 of 9, respond).
 * In: header values from the client.  Out: RFC 9110 sections 13.1 and 14. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum range_kind {
    RANGE_WHOLE = 0, /* no Range, an invalid one, or several: the whole file is sent */
    RANGE_PART,
    RANGE_OUTSIDE, /* 416: no byte of the file is in it */
} range_kind;

/* Read a Range header; NULL: there is none.
 * size       Of the file, in bytes.
 * ret_first  of a RANGE_PART: the first byte, and how many there are. */
range_kind range_parse(const char *text, uint64_t size, uint64_t *ret_first, uint64_t *ret_count);

/* Is this entity tag in a list such as `"a", W/"b"` or `*`? NULL: there is no list, and no match. Tags are compared
 * weakly. */
bool range_has_tag(const char *list, const char *tag);
