/* SPDX-License-Identifier: Apache-2.0
 * pool/stats.h - what workers and finished jobs say about a network: facts, costs, metrics, logs (stage 3 of 9). */
#pragma once

#include "pool/pool.h"

/* A worker has loaded and tested a network. A cost that was learned from jobs stays. */
void stats_note_ready(network *self, const worker *by, const ipc_ready *ready);

/* A worker has finished a job; its done is set. */
void stats_note_done(const job *item, const worker *by);
