/* SPDX-License-Identifier: Apache-2.0
 * api/status_map.c - from a status to a problem; http/problem.c has the HTTP codes and machine words.
 * In: the status of a failed job.  Out: the kind of problem for the client. */
#include "api/status_map.h"

problem_kind status_map(swin2sr_status status) {
    static const problem_kind kinds[] = {
        [-SWIN2SR_OK] = PROBLEM_INTERNAL,
        [-SWIN2SR_INVALID] = PROBLEM_IMPOSSIBLE,
        [-SWIN2SR_NOMEM] = PROBLEM_MEMORY,
        [-SWIN2SR_TOO_LARGE] = PROBLEM_IMAGE_TOO_LARGE,
        [-SWIN2SR_UNSUPPORTED] = PROBLEM_UNSUPPORTED,
        [-SWIN2SR_CORRUPT] = PROBLEM_CORRUPT,
        [-SWIN2SR_MODEL] = PROBLEM_INTERNAL,
        [-SWIN2SR_IO] = PROBLEM_STORAGE,
        [-SWIN2SR_BUSY] = PROBLEM_BUSY,
        [-SWIN2SR_CANCELLED] = PROBLEM_DRAINING,
        [-SWIN2SR_TIMEOUT] = PROBLEM_DEADLINE,
        [-SWIN2SR_INTERNAL] = PROBLEM_INTERNAL,
    };
    int index = -(int)status;
    return index >= 0 && index < (int)(sizeof kinds / sizeof kinds[0]) ? kinds[index] : PROBLEM_INTERNAL;
}
