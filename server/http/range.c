/* SPDX-License-Identifier: Apache-2.0
 * http/range.c - Range and entity tags (stage 9 of 9, respond).
 * In: header values of any content.  Out: a part of a file; yes or no. */
#include "http/range.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Read at least one digit. NULL: there are none, or more than the size of any file has. */
static const char *take_number(const char *text, uint64_t *ret_number) {
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 18)
        return NULL;
    *ret_number = 0;
    for (size_t i = 0; i < length; i++)
        *ret_number = *ret_number * 10 + (uint64_t)(text[i] - '0');
    return text + length;
}

/* "-N": the last N bytes. */
static range_kind parse_suffix(const char *text, uint64_t size, uint64_t *ret_first, uint64_t *ret_count) {
    uint64_t count;
    const char *end = take_number(text + 1, &count);
    if (!end || *end)
        return RANGE_WHOLE;
    if (count == 0 || size == 0)
        return RANGE_OUTSIDE;
    *ret_count = count < size ? count : size;
    *ret_first = size - *ret_count;
    return RANGE_PART;
}

range_kind range_parse(const char *text, uint64_t size, uint64_t *ret_first, uint64_t *ret_count) {
    uint64_t first, last = UINT64_MAX;
    if (!text || strncasecmp(text, "bytes=", 6) != 0)
        return RANGE_WHOLE;
    text += 6;
    if (*text == '-')
        return parse_suffix(text, size, ret_first, ret_count);
    const char *at = take_number(text, &first);
    if (!at || *at != '-')
        return RANGE_WHOLE;
    at++;
    if (*at && (!(at = take_number(at, &last)) || *at || last < first))
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_OUTSIDE;
    *ret_first = first;
    *ret_count = (last < size ? last + 1 : size) - first;
    return RANGE_PART;
}

bool range_has_tag(const char *list, const char *tag) {
    size_t length = strlen(tag);
    while (list && *list) {
        list += strspn(list, " \t,");
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        const char *end = *list == '"' ? strchr(list + 1, '"') : NULL;
        if (!end)
            return false;
        if ((size_t)(end + 1 - list) == length && memcmp(list, tag, length) == 0)
            return true;
        list = end + 1;
    }
    return false;
}
