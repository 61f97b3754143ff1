/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/wrong_golden.c - replaces worker/golden.c with golden sums that no result matches.
 * A worker linked with it fails its self-test on every processor. */
#include "worker.h"

const golden goldens[] = {{.sha256 = "7436a0abaad64586b5251c712d1031f46b30215b98726c709f80182128e37bc7"}};
const size_t goldens_count = 1;
