/* SPDX-License-Identifier: Apache-2.0
 * s3/answers.h - what a store says in XML: lists, errors, and the two answers of an upload in parts. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/limits.h"
#include "s3/s3.h"

#define S3_CODE_BYTES 64u
#define S3_UPLOAD_ID_BYTES 1024u
#define S3_ANSWER_TOKEN_BYTES 1100u /* where a list goes on; radosgw's is a key */

/* The Code of an error, as far as it consists of letters, digits, '.' and '_'.  false: it is none. */
bool s3_answer_code(const char *text, size_t size, char ret_code[S3_CODE_BYTES]);

/* The UploadId of an upload that has begun.  errors _CORRUPT. */
SWIN2SR_MUST_CHECK swin2sr_status s3_answer_upload_id(const char *text, size_t size, char ret_id[S3_UPLOAD_ID_BYTES]);

/* One page of a list.
 * prefix     That all keys begin with; entries have them without it.
 * visit      NULL: only check and find where it goes on. Called as s3_list says.
 * ret_token  Where the next page begins; "": there is none, or visit has returned false.
 * errors     _CORRUPT. */
SWIN2SR_MUST_CHECK swin2sr_status s3_answer_list(const char *text, size_t size, const char *prefix,
                                                 bool (*visit)(void *context, const s3_entry *entry), void *context,
                                                 char ret_token[S3_ANSWER_TOKEN_BYTES]);
