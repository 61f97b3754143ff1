/* SPDX-License-Identifier: Apache-2.0
 * pool/cheaper.h - the plans for one image, from the fastest to the one that takes least memory (stage 3 of 9, dispatch).
 * When a worker has taken too much memory for an image, the image is tried once more with the next plan. Pure. */
#pragma once

#include "job/job.h"

#define CHEAPER_EDGE_ROWS 32 /* the usual overlap of strips and tiles (swin2sr_options.overlap_px) */

/* Rows of the output that strips and tiles hold to join their edges. */
uint64_t cheaper_edge_bytes(const ipc_ready *facts, uint64_t width_px, uint32_t sample_bytes);

/* The least memory with which the network can enlarge a column of strips of an image: an upper bound. */
uint64_t cheaper_strips_bytes(const ipc_ready *facts, uint64_t width_px, uint32_t sample_bytes);

/* "whole", "strips", "tiles", "shrink" or "shrink+strips". */
const char *cheaper_name(const ipc_ready *facts, const job_spec *spec);

/* Change tile_px, shrink_px and memory_bytes to the next plan in the order of those names that takes at most three
 * quarters of the memory. Only an image that may be reduced is reduced.  false: there is none; spec is unchanged. */
bool cheaper_take_next(const ipc_ready *facts, job_spec *spec);

/* Note that a worker took too much memory for the present plan, and go on to the next one. At most one other plan is
 * tried.  false: the job has failed, with item->detail for the client: what was tried and what takes less. */
bool cheaper_retry(job *item);
