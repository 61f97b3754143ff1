/* SPDX-License-Identifier: Apache-2.0
 * base/json_text.h - a JSON document as text that is whole.
 * json_dumps of jansson 2.14 leaves keys out of an object where memory runs out, and reports success. */
#pragma once

#include <jansson.h>

/* document  NULL: there was no memory for it.
 * flags     Of jansson: JSON_COMPACT, JSON_INDENT.
 * returns   Text, to be freed; NULL: out of memory. */
char *swin2sr__json_text(const json_t *document, size_t flags);
