/* SPDX-License-Identifier: Apache-2.0
 * self_test.h - is this network right on this processor, and what does it cost? Runs before a worker says READY.
 * Networks inside the program are compared with a golden vector in the source, others with the plain C kernels. */
#pragma once

#include "golden.h"
#include "ipc/ipc.h"
#include <swin2sr/swin2sr.h>

/* The golden vector for these weights; NULL: there is none. */
const golden *self_test_find_golden(const swin2sr_model *model);

/* Enlarge the test picture and compare with the golden vector.  errors _INTERNAL: another picture came out. */
SWIN2SR_MUST_CHECK swin2sr_status self_test_golden(swin2sr_model *model, const golden *expected, int32_t threads,
                                                   swin2sr_error *reterr);

/* Enlarge the test picture with both and compare.  errors _INTERNAL: they differ. */
SWIN2SR_MUST_CHECK swin2sr_status self_test_plain(swin2sr_model *model, swin2sr_model *plain, int32_t threads,
                                                  swin2sr_error *reterr);

/* Fill in what a picture costs: us_per_megapixel from a run, base_bytes and column_bytes from the planner. */
SWIN2SR_MUST_CHECK swin2sr_status self_test_measure(swin2sr_model *model, int32_t threads, ipc_ready *ready,
                                                    swin2sr_error *reterr);
