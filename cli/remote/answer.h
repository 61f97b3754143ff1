/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/answer.h - the answer of a service to one request.
 * In: lines of its header and pieces of its body, any of which may be hostile.  Out: the fields that are used, a text of
 * bounded size, and what a refusal means for this program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define ANSWER_FIELD_BYTES 256 /* a longer value of a header field counts as absent */
#define ANSWER_TEXT_BYTES 65536

typedef struct remote_answer {
    long code;
    /* header fields; "": absent */
    char location[ANSWER_FIELD_BYTES];
    char etag[ANSWER_FIELD_BYTES];
    char range[ANSWER_FIELD_BYTES];  /* Content-Range */
    char notes[ANSWER_FIELD_BYTES];  /* X-Swin2SR-Notes */
    char model[ANSWER_FIELD_BYTES];  /* X-Swin2SR-Model */
    char choice[ANSWER_FIELD_BYTES]; /* X-Swin2SR-Choice */
    char upload_offset[ANSWER_FIELD_BYTES];
    char upload_max[ANSWER_FIELD_BYTES]; /* Tus-Max-Size */
    char retry_after[ANSWER_FIELD_BYTES];
    size_t text_bytes;
    char text[ANSWER_TEXT_BYTES]; /* the body, not terminated */
} remote_answer;

/* Take one line of a header. A status line, of which there may be several, forgets what came before. */
void answer_take_line(remote_answer *self, const char *line, size_t length);

/* Append to the text. false: it would be too long. */
bool answer_take_text(remote_answer *self, const void *bytes, size_t size);

/* A whole decimal number without a sign, at most max. */
bool answer_parse_number(const char *text, uint64_t max, uint64_t *ret_value);

/* The first and the last byte of "bytes FIRST-LAST/TOTAL". */
bool answer_parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last);

/* Seconds of Retry-After; 0: absent, a date, or longer than a day. */
uint32_t answer_retry_after_s(const remote_answer *self);

/* Whether the same request may be answered differently later. */
bool answer_is_transient(const remote_answer *self);

/* Whether the answer is a problem document with this code. */
bool answer_has_code(const remote_answer *self, const char *code);

/* The failure that a status of HTTP stands for: _INVALID where the image or an option is refused, else _IO. */
swin2sr_status answer_status_of(long code);

/* Describe an answer that is not a success: the detail of its problem document, or the status.
 * returns  answer_status_of. */
swin2sr_status answer_fail(const remote_answer *self, const char *host, swin2sr_error *reterr);
