/* SPDX-License-Identifier: Apache-2.0
 * http/problem.h - why a request gets no image, as RFC 9457 says it. One table: kind -> HTTP code, machine word, title.
 * The words are part of the contract (docs/api.md). A detail never holds internal text, paths or addresses. */
#ifndef SWIN2SR_SERVER_PROBLEM_H
#define SWIN2SR_SERVER_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum problem_kind {
    PROBLEM_MALFORMED = 0,
    PROBLEM_MISSING_FILE,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD,
    PROBLEM_BODY_TOO_LARGE,
    PROBLEM_IMAGE_TOO_LARGE,
    PROBLEM_CONTENT_TYPE,
    PROBLEM_UNSUPPORTED,
    PROBLEM_CORRUPT,
    PROBLEM_OPTION,
    PROBLEM_IMPOSSIBLE,
    PROBLEM_QUEUE_FULL,
    PROBLEM_INTERNAL,
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
    char detail[256];       /* for this request; printable ASCII */
    uint64_t limit, actual; /* where they help; limit 0: they do not */
    uint32_t retry_after_s; /* 0: trying again does not help */
} problem;

/* A problem with a printf-style detail; what is not printable ASCII in it becomes '?'. */
problem problem_of(problem_kind kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

int problem_code(const problem *self);

/* The document: JSON (problem+json), or a small page for a browser that posted the form. The caller frees it.
 * depth    How many slashes the request's path has: the link to the first page is relative, since a proxy may serve the
 *          service under any path.
 * returns  NULL without memory. */
char *problem_to_json(const problem *self, const char *request_id);
char *problem_to_html(const problem *self, const char *request_id, int depth);

#endif
