/* SPDX-License-Identifier: Apache-2.0
 * api/options.h - the options of POST /upscale, as query parameters or form fields (stage 1 of 9, request).
 * An unknown name, a wrong value, a name given twice, or model together with task is a problem, never ignored. */
#pragma once

#include "config/limits.h"
#include "config/config.h"
#include "format/compression.h"
#include "format/metadata.h"
#include "format/format.h"
#include "format/target.h"
#include "http/problem.h"
#include "library/library.h"

typedef struct upscale_options {
    format_id format;                   /* of the result; default PNG */
    uint32_t quality;                   /* 1..100, default 95; no effect on PNG */
    format_compression compression;     /* of PNG and WebP; no effect on others */
    uint32_t metadata;                  /* bits of format/metadata.h, default 0 */
    format_target target;               /* the part of the image, the size of the result, and the strength */
    char model[LIBRARY_MAX_NAME];       /* "": not given */
    const char *task;                   /* one of library_task_name; NULL: not given. model=auto is task=auto */
    bool is_format_given, is_batch;     /* is_batch: all frames of an animation; default false */
    bool is_strict;                     /* refuse a damaged file even if all its rows can be decoded; default false */
    char upload[LIMIT_PATH_PART_BYTES]; /* the id of a resumable upload to take in place of an image; "": not given */
    char webhook[LIMIT_WEBHOOK_BYTES];  /* URL that is told when the job has ended; "": none */
    oversize_choice oversize;           /* default: OVERSIZE_COUNT, as the server is set */
    uint64_t deadline_ms;               /* 1..LIMIT_WAIT_MAX_S in milliseconds; 0: not given */
    uint32_t given;                     /* a bit for each option that was given, for upscale_options_set */
} upscale_options;

void upscale_options_init(upscale_options *self);
bool upscale_options_has(const char *name); /* is there such an option? */
bool upscale_options_set(upscale_options *self, const char *name, const char *value, problem *ret_problem);
