/* SPDX-License-Identifier: Apache-2.0
 * http/multipart.h - streaming parser for multipart/form-data, RFC 7578 (stage 1 of 9, request).
 * In: bytes of a body in pieces of any size.  Out: parts, their names and their bytes, in order.
 * Fixed buffers, no allocation. How the body is cut into pieces does not change the result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/limits.h"

/* Called by multipart_push. Returning false stops the parser for good. */
typedef struct multipart_handler {
    bool (*on_part)(void *context, const char *name, const char *file_name); /* file_name: "": none was given */
    bool (*on_data)(void *context, const void *data,
                    size_t size); /* bytes of the current part; called any number of times */
    bool (*on_part_end)(void *context);
    void *context;
} multipart_handler;

typedef enum multipart_state {
    MULTIPART_PREAMBLE = 0, /* before the first delimiter; skipped */
    MULTIPART_DELIMITER,    /* after a delimiter: "--" or the rest of the line */
    MULTIPART_HEADER,       /* lines of a part's header */
    MULTIPART_DATA,         /* bytes of a part */
    MULTIPART_END,          /* after the last delimiter; the rest is ignored */
    MULTIPART_BAD,          /* malformed, or stopped by the handler */
} multipart_state;

typedef struct multipart {
    multipart_handler handler;
    multipart_state state;
    const char *fault; /* with MULTIPART_BAD: what is malformed, for the client; NULL: the handler stopped */
    char delimiter[4 + LIMIT_BOUNDARY_BYTES + 1]; /* "\r\n--boundary" */
    size_t delimiter_bytes;
    size_t matched; /* bytes of the delimiter matched so far */
    char line[LIMIT_PART_LINE_BYTES];
    size_t line_bytes;
    int part_count;
    int header_lines; /* of this part */
    bool has_name, has_coded_name;
    char bad_character; /* the one that makes the boundary unusable; '\0': none */
    char name[LIMIT_FIELD_NAME_BYTES];
    char file_name[LIMIT_FILE_NAME_BYTES]; /* cut to fit */
} multipart;

/* Start with the request's Content-Type.
 * returns  false: it is not multipart/form-data (fault NULL), or it has no usable boundary (fault says why, and
 *          bad_character where one character is the reason). */
bool multipart_init(multipart *self, const char *content_type, const multipart_handler *handler);

/* Parse the next piece. false: state is MULTIPART_BAD, and further pieces are ignored. */
bool multipart_push(multipart *self, const void *data, size_t size);

/* true: the last delimiter has been seen. */
bool multipart_is_whole(const multipart *self);
