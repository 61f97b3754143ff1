/* SPDX-License-Identifier: Apache-2.0
 * pool/cgroup.h - what the kernel says about this process's memory: how much there may be, and who was killed for it.
 * Reads a few short files; cgroup version 2 or 1, else the whole machine. */
#ifndef SWIN2SR_SERVER_CGROUP_H
#define SWIN2SR_SERVER_CGROUP_H

#include <stdint.h>

/* Both: root is put before /proc and /sys, "" but in tests. */

/* Processes killed because memory ran out, so far, in our cgroup; on the whole machine where that is not to be had. */
uint64_t cgroup_oom_kills(const char *root);

/* The limit of our cgroup or the machine's memory, whichever is less; UINT64_MAX: unknown. */
uint64_t cgroup_memory_bytes(const char *root);

#endif
