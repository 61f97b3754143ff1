/* SPDX-License-Identifier: Apache-2.0
 * base/cgroup.h - limits that the kernel sets for this process's control groups, version 1 or 2.
 * Each call reads a few short files. A limit of a parent group counts like one of the group itself.
 * root is put before /proc and /sys: "" except in tests. */
#pragma once

#include <stdint.h>

/* Processes of this cgroup that the kernel has killed for lack of memory; of the machine if no cgroup counts them. */
uint64_t swin2sr__cgroup_oom_kills(const char *root);

/* The smaller of the cgroup's memory limit and the machine's memory; UINT64_MAX if neither is known. */
uint64_t swin2sr__cgroup_memory_bytes(const char *root);

/* How many cores' worth of processor time the cgroup may use, rounded up; 0: no limit. */
int swin2sr__cgroup_cores(const char *root);
