/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/wrong_golden.c - in place of worker/golden.c: a vector that nothing can match.
 * To a worker linked with it, every processor is one whose kernels are wrong. */
#include "golden.h"

const golden goldens[] = {{.sha256 = "7436a0abaad64586b5251c712d1031f46b30215b98726c709f80182128e37bc7"}};
const size_t goldens_count = 1;
