/* SPDX-License-Identifier: Apache-2.0
 * s3/xml.h - the XML of a store's answers, element by element.
 * In: bytes that nobody has checked.  Out: texts of elements and where they stand. Bounded in depth and lengths,
 * without allocation, and strict: whatever the answers of stores do not have (document types, CDATA) is refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <swin2sr/status.h>

#define XML_MAX_DEPTH 8
#define XML_NAME_BYTES 64u /* terminator included */

typedef struct xml_reader {
    const char *at, *end;
    int depth; /* of the element that is open */
    char names[XML_MAX_DEPTH][XML_NAME_BYTES];
    bool is_over;
} xml_reader;

/* Begin to read `size` bytes, which are borrowed. */
void xml_begin(xml_reader *self, const char *text, size_t size);

/* Go on to the next end of an element. Then self->depth counts the elements around it and itself, and
 * self->names[0..depth-1] are their names, without prefixes of namespaces.
 * ret_text  [text_size] The text of an element without others in it, its references resolved; "" for others. NULL: it is
 *           not wanted.
 * errors    _INVALID (there are no more elements), _CORRUPT (it is not such XML), _TOO_LARGE (the text is longer). */
SWIN2SR_MUST_CHECK swin2sr_status xml_next(xml_reader *self, char *ret_text, size_t text_size);

/* true: the element that ended is PARENT/NAME, at this depth. */
bool xml_is(const xml_reader *self, int depth, const char *parent, const char *name);
