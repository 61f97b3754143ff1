/* SPDX-License-Identifier: Apache-2.0
 * http/problem.h - problem documents (RFC 9457). One table: kind -> HTTP code, machine word, title.
 * The machine words are part of the API (docs/api.md). Details never show internal text, paths or addresses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/limits.h"

typedef enum problem_kind {
    PROBLEM_MALFORMED = 0,
    PROBLEM_MISSING_FILE,
    PROBLEM_KEY_MISSING,
    PROBLEM_KEY_UNKNOWN,
    PROBLEM_KEY_REVOKED,
    PROBLEM_NOT_ADMIN,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD,
    PROBLEM_TOO_SLOW,
    PROBLEM_CONFLICT,
    PROBLEM_PROTOCOL_VERSION,
    PROBLEM_GONE,
    PROBLEM_BODY_TOO_LARGE,
    PROBLEM_IMAGE_TOO_LARGE,
    PROBLEM_CONTENT_TYPE,
    PROBLEM_UNSUPPORTED,
    PROBLEM_RANGE,
    PROBLEM_CORRUPT,
    PROBLEM_OPTION,
    PROBLEM_IMPOSSIBLE,
    PROBLEM_KEY_REUSED,
    PROBLEM_LOCKED,
    PROBLEM_QUEUE_FULL,
    PROBLEM_RATE,
    PROBLEM_CONCURRENCY,
    PROBLEM_TOO_MANY_UPLOADS,
    PROBLEM_HEADER_TOO_LARGE,
    PROBLEM_CHECKSUM,
    PROBLEM_INTERNAL,
    PROBLEM_NOT_ENABLED,
    PROBLEM_STARTING,
    PROBLEM_DRAINING,
    PROBLEM_MEMORY,
    PROBLEM_BUSY,
    PROBLEM_DEADLINE,
    PROBLEM_STORAGE,
    PROBLEM_COUNT
} problem_kind;

typedef struct problem {
    problem_kind kind;
    char detail[256];              /* about this request; printable ASCII */
    uint64_t limit, actual;        /* limit 0: neither is shown */
    uint32_t retry_after_s;        /* 0: retrying does not help */
    char tried[LIMIT_TRIED_BYTES]; /* words, separated by ", "; "": not shown */
} problem;

/* A problem with a printf-style detail, in which '?' replaces everything but printable ASCII. */
problem problem_of(problem_kind kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

int problem_code(const problem *self);
int problem_kind_code(problem_kind kind);
const char *problem_kind_word(problem_kind kind);

/* The document as JSON, or as a small page for a browser.
 * depth    Number of slashes in the request's path: the link to the first page is relative, because a proxy may offer
 *          the service under any path.
 * returns  The caller frees it. NULL: out of memory. */
char *problem_to_json(const problem *self, const char *request_id);
char *problem_to_html(const problem *self, const char *request_id, int depth);
