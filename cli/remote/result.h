/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/result.h - an enlarged image on its way from a service to an output.
 * In: pieces of bodies, which may be hostile.  Out: an output that has exactly one result, which looks like an image of
 * the format that was asked for, and at most as many bytes as such an image can have. */
#pragma once

#include "answer.h"
#include "command/output.h"
#include "format/format.h"

#define RESULT_HEAD_BYTES 65536 /* kept, to look at the header of the image */

typedef struct result_writer {
    output_file *output; /* borrowed */
    format_id format;
    uint64_t max_bytes;
    uint64_t position;           /* bytes written */
    bool is_begun;               /* the header of the answer has been checked */
    int32_t width_px, height_px; /* of the result, by result_check; 0: its header is longer than the head */
    size_t head_bytes;
    swin2sr_status status; /* why a piece was refused, in error */
    swin2sr_error error;
    unsigned char head[RESULT_HEAD_BYTES];
} result_writer;

/* The most bytes that an image of so many pixels can have in any format: 4 samples of 8 bits, and metadata. */
uint64_t result_max_bytes(uint64_t width_px, uint64_t height_px);

/* Take a piece of the body of an answer with code 200 or 206. A 206 must continue at position; a 200 begins again.
 * false: refused; status and error say why. */
bool result_take(result_writer *self, const remote_answer *answer, const void *bytes, size_t size);

/* Whether what was written is an image of the format; fills width_px and height_px.
 * errors  _IO: it is not; the detail names the host. */
swin2sr_status result_check(result_writer *self, const char *host, swin2sr_error *reterr);
